// One request and its answer, with redirections followed: a connection of its own each time, closed at once, bounded
// in what it reads. What goes wrong is a text for people, never an exception.
import { type ClientRequest, type IncomingMessage, request as plain } from 'node:http';
import { request as secured } from 'node:https';
import { isIP } from 'node:net';
import { tlsFailure } from '../../core/plugin/tls-options.ts';

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly source: string | undefined;
  /** undefined: without TLS. */
  readonly secure:
    | { readonly rejectUnauthorized: boolean; readonly servername?: string; readonly ca?: readonly string[] }
    | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface Question {
  readonly path: string;
  readonly method: string;
  readonly virtualhost: string | undefined;
  /** How many redirections may still be followed. */
  readonly redirects: number;
}

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** The body was longer than is read. */
  readonly cut: boolean;
}

/** More of a body than this is not looked at. */
const MOST_BODY = 1024 * 1024;
const MOST_HEADERS = 16 * 1024;
const REDIRECTIONS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The answer, or why there is none. */
export function ask(
  connection: Connection,
  question: Question,
  wantsBody: boolean,
  signal: AbortSignal,
): Promise<Answer | string> {
  return new Promise((resolve) => {
    const request = open(connection, question, signal);
    const end = (result: Answer | string | Promise<Answer | string>): void => {
      request.destroy();
      resolve(result);
    };
    request.once('response', (response) => {
      const target = response.headers.location;
      if (REDIRECTIONS.has(response.statusCode!) && question.redirects > 0 && target !== undefined) {
        const next = redirected(connection, question, target);
        end(typeof next === 'string' ? next : ask(next.connection, next.question, wantsBody, signal));
      } else if (wantsBody) read(response, end);
      else end({ status: response.statusCode!, body: Buffer.alloc(0), cut: false });
    });
    request.once('error', (error: NodeJS.ErrnoException) => end(failureText(error)));
    request.end();
  });
}

function open(
  { host, port, source, secure, headers }: Connection,
  question: Question,
  signal: AbortSignal,
): ClientRequest {
  const { path, method, virtualhost } = question;
  const standard = secure === undefined ? 80 : 443;
  const name = host.includes(':') ? `[${host}]` : host;
  const common = {
    host,
    port,
    path,
    method,
    signal,
    agent: false,
    maxHeaderSize: MOST_HEADERS,
    ...(source !== undefined && { localAddress: source }),
    headers: {
      Host: virtualhost ?? (port === standard ? name : `${name}:${port}`),
      'User-Agent': 'vipkeeper',
      Accept: '*/*',
      Connection: 'close',
      ...Object.fromEntries(headers),
    },
  } as const;
  if (secure === undefined) return plain(common);
  const { ca, ...rest } = secure;
  return secured({ ...common, ...rest, ...(ca !== undefined && { ca: [...ca] }) });
}

function read(response: IncomingMessage, end: (result: Answer | string) => void): void {
  const parts: Buffer[] = [];
  let length = 0;
  const answer = (cut: boolean): Answer => ({
    status: response.statusCode!,
    body: Buffer.concat(parts).subarray(0, MOST_BODY),
    cut,
  });
  response.on('data', (part: Buffer) => {
    parts.push(part);
    length += part.length;
    if (length > MOST_BODY) end(answer(true));
  });
  response.once('end', () => end(answer(false)));
  response.once('error', () => end('the answer broke off'));
}

/** The same connection for a path, another one for a whole URL. */
function redirected(
  connection: Connection,
  question: Question,
  target: string,
): { readonly connection: Connection; readonly question: Question } | string {
  const scheme = connection.secure === undefined ? 'http' : 'https';
  const host = connection.host.includes(':') ? `[${connection.host}]` : connection.host;
  const redirects = question.redirects - 1;
  let url: URL;
  try {
    url = new URL(target, `${scheme}://${host}:${connection.port}${question.path}`);
  } catch {
    return 'it redirects to something that is no URL';
  }
  const path = url.pathname + url.search;
  const method = question.method === 'POST' ? 'GET' : question.method;
  if (!/^https?:\/\//i.test(target)) return { connection, question: { ...question, path, method, redirects } };
  if (url.protocol !== `${scheme}:` && connection.secure !== undefined) return 'it redirects from HTTPS to HTTP';
  const address = url.hostname.replace(/^\[|\]$/g, '');
  const { servername: _, ...trust } = connection.secure ?? { rejectUnauthorized: true };
  const named = isIP(address) === 0 ? { ...trust, servername: address } : trust;
  const secure = url.protocol === 'https:' ? named : undefined;
  const port = url.port === '' ? (secure === undefined ? 80 : 443) : Number(url.port);
  // Headers may carry a key that is no business of another server.
  const isSame = address === connection.host && port === connection.port;
  return {
    connection: { ...connection, host: address, port, secure, headers: isSame ? connection.headers : [] },
    question: { path, method, virtualhost: undefined, redirects },
  };
}

function failureText(error: NodeJS.ErrnoException): string {
  const tls = tlsFailure(error.code);
  if (tls !== undefined) return tls;
  if (error.code === 'ECONNRESET') return 'the connection broke off before the answer';
  if (error.code?.startsWith('HPE_')) return `the answer is no HTTP (${error.code})`;
  return error.code ?? error.message;
}
