// notify-webhook: an event is a POST of its JSON, signed. Follows no redirect, knows no proxy and keeps no connection.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import {
  type Notifier,
  type NotifierHost,
  type NotifyResult,
  notifierPlugin,
  type VipkeeperEvent,
} from '../../core/plugin/notifier.ts';
import type { OptionValues } from '../../core/plugin/options.ts';
import { tlsFailure } from '../../core/plugin/tls-options.ts';
import { type Micros, micros } from '../../core/units.ts';

/** More of an answer than this is not read; its status counts. */
const MOST_ANSWER = 64 * 1024;

const options = {
  url: {
    kind: 'text',
    required: true,
    secret: true,
    help: 'http or https address to post to',
    example: 'https://hooks.example.org/vip',
  },
  secret: {
    kind: 'text',
    secret: true,
    help: 'key of the signature: the text itself, or file:PATH',
    example: 'file:/etc/vipkeeper/hook.key',
  },
  header: {
    kind: 'text',
    many: true,
    secret: true,
    help: 'further header, may be repeated',
    example: '"Authorization: Bearer abc"',
  },
  verify: {
    kind: 'flag',
    default: true,
    help: 'the certificate must be valid, of a known authority and for that name',
  },
  ca: { kind: 'text', help: 'file with certificates of authorities to believe besides those of the system' },
} as const;

type Values = OptionValues<typeof options>;

export const notifyWebhook = notifierPlugin({
  api: 1,
  kind: 'notifier',
  name: 'webhook',
  help: 'posts each event as signed JSON to an HTTP server',
  options,
  validate({ url, secret, ca }, complain) {
    if (url.startsWith('http:') && secret === undefined)
      complain('secret', 'without it anybody can send such events to the server', 'add a secret');
    if (url.startsWith('http:') && ca !== undefined) complain('ca', 'is not used without https');
  },
  create(values: Values, host: NotifierHost): Notifier {
    const send = sender(values, host);
    return { notify: ([event], signal) => send(event!, signal) };
  },
});

/** @throws Error when an option cannot be used */
function sender(
  values: Values,
  host: NotifierHost,
): (event: VipkeeperEvent, signal: AbortSignal) => Promise<NotifyResult> {
  const url = addressOf(values.url);
  const key = values.secret?.startsWith('file:') ? host.secretFile(values.secret.slice('file:'.length)) : values.secret;
  const further = headersOf(values.header);
  const ca = values.ca === undefined ? undefined : [...rootCertificates, readFileSync(values.ca, 'utf8')];
  return (event, signal) => {
    const body = JSON.stringify(event);
    const headers = {
      ...further,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': `vipkeeper/${event.agentVersion}`,
      ...(key !== undefined && { 'x-vipkeeper-signature': signatureOf(key, body, Math.floor(Date.now() / 1_000)) }),
      connection: 'close',
    };
    return post(url, { method: 'POST', headers, agent: false, rejectUnauthorized: values.verify, ca, signal }, body);
  };
}

/** `t=SECONDS,v1=HEX`, where HEX is the HMAC-SHA256 of `SECONDS.BODY`. */
export function signatureOf(key: string, body: string, seconds: number): string {
  return `t=${seconds},v1=${createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}`;
}

function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new Error('url is no address of the form https://host/path');
  return url;
}

function headersOf(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.map((line, i) => {
      const parts = /^([!#$%&'*+.^_`|~\w-]+):\s*([\t\x20-\x7e]*)$/.exec(line);
      // Not its text: it may be a secret.
      if (parts === null) throw new Error(`header number ${i + 1} is not of the form Name: value`);
      return [parts[1]!.toLowerCase(), parts[2]!];
    }),
  );
}

type Options = RequestOptions & { rejectUnauthorized: boolean; ca: string[] | undefined };

function post(url: URL, options: Options, body: string): Promise<NotifyResult> {
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? tlsRequest : plainRequest)(url, options);
    const end = (result: NotifyResult): void => {
      request.destroy();
      resolve(result);
    };
    request.on('error', (error: NodeJS.ErrnoException) =>
      end({ ok: false, why: tlsFailure(error.code) ?? error.code ?? error.message }),
    );
    request.once('response', (response) => hear(response, end));
    request.end(body);
  });
}

/** An answer counts when it is whole: a server that died over it may have done nothing. */
function hear(response: IncomingMessage, end: (result: NotifyResult) => void): void {
  const result = resultOf(response);
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MOST_ANSWER) end(result);
  });
  response.once('end', () => end(result));
  response.on('error', () => end(result.ok ? { ok: false, why: 'the answer broke off' } : result));
}

function resultOf({ statusCode = 0, headers }: IncomingMessage): NotifyResult {
  if (statusCode >= 200 && statusCode < 300) return { ok: true };
  if (statusCode >= 300 && statusCode < 400)
    return { ok: false, why: `it answered ${statusCode}; redirects are not followed`, permanent: true };
  const why = `it answered ${statusCode}`;
  if (statusCode < 500 && statusCode !== 408 && statusCode !== 429) return { ok: false, why, permanent: true };
  const retryAfter = pauseOf(headers['retry-after']);
  return { ok: false, why, ...(retryAfter !== undefined && { retryAfter }) };
}

/** Retry-After of RFC 9110 §10.2.3: seconds or a date. */
function pauseOf(text: string | undefined): Micros | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? micros(Math.round(ms * 1_000)) : undefined;
}
