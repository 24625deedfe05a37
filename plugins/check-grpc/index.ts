// check-grpc: a service says SERVING in the standard health protocol of gRPC (grpc.health.v1). Knows no schedule.
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';
import { checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';
import { tlsFailure, tlsOptions } from '../../core/plugin/tls-options.ts';
import { healthRequest, servingStatus } from './message.ts';

const options = {
  host: { kind: 'text', required: true, help: 'address or name to connect to', example: '127.0.0.1' },
  port: { kind: 'integer', min: 1, max: 65_535, required: true, help: 'TCP port' },
  service: { kind: 'text', default: '', help: 'name of the service; default: the server as a whole' },
  tls: { kind: 'flag', help: 'speak TLS' },
  ...tlsOptions,
} as const;

type Values = OptionValues<typeof options>;

/** More of an answer than this is not read. */
const MOST_ANSWER = 4_096;
const BROKEN = 'the connection broke off';
/** Names of grpc-status (gRPC core, statuscodes.md) that a health service answers with. */
const STATUS: Readonly<Record<string, string>> = {
  '5': 'the service is unknown to the server (NOT_FOUND)',
  '7': 'the server does not allow it (PERMISSION_DENIED)',
  '12': 'the server has no health service (UNIMPLEMENTED)',
  '14': 'the service is unavailable (UNAVAILABLE)',
  '16': 'the server wants credentials (UNAUTHENTICATED)',
};

export const checkGrpc = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'grpc',
  help: 'a gRPC service says that it is serving',
  options,
  validate({ tls, ca, sni }, complain) {
    if (!tls && (ca !== undefined || sni !== undefined))
      complain('tls', 'ca and sni have no meaning without tls', 'add tls');
  },
  create: (values: Values): HealthCheck => {
    const { host, port, tls, sni, verify, ca } = values;
    const name = sni ?? (isIP(host) === 0 ? host : undefined);
    const trust = {
      rejectUnauthorized: verify,
      ...(name !== undefined && { servername: name }),
      ...(ca !== undefined && { ca: [...rootCertificates, readFileSync(ca, 'utf8')] }),
    };
    const authority = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
    const question = healthRequest(values.service);
    return { probe: (signal) => probe(() => connect(authority, tls ? trust : {}), question, signal) };
  },
});

function probe(open: () => ClientHttp2Session, question: Uint8Array, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const session = open();
    const end = (result: ProbeResult): void => {
      signal.removeEventListener('abort', abort);
      session.destroy();
      resolve(result);
    };
    const abort = (): void => end({ ok: false, why: 'no answer in time' });
    signal.addEventListener('abort', abort, { once: true });
    const failed = (error: NodeJS.ErrnoException): void => end({ ok: false, why: failureText(error) });
    session.on('error', failed);
    session.once('close', () => end({ ok: false, why: BROKEN }));
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const parts: Buffer[] = [];
    let length = 0;
    let status: string | undefined;
    let http: number | undefined;
    stream.once('response', (headers) => {
      http = headers[':status'];
      status = headers['grpc-status'] as string | undefined;
    });
    stream.once('trailers', (trailers) => {
      status = trailers['grpc-status'] as string | undefined;
    });
    stream.on('data', (part: Buffer) => {
      length += part.length;
      if (length > MOST_ANSWER) end({ ok: false, why: 'the answer is too long' });
      else parts.push(part);
    });
    stream.on('error', failed);
    stream.once('end', () => end(judge(http, status, Buffer.concat(parts))));
    stream.end(question);
  });
}

function judge(http: number | undefined, status: string | undefined, answer: Uint8Array): ProbeResult {
  if (http === undefined) return { ok: false, why: BROKEN };
  if (http !== 200) return { ok: false, why: `HTTP status ${http}: no gRPC is spoken there` };
  if (status === undefined) return { ok: false, why: 'the answer broke off' };
  if (status !== '0') return { ok: false, why: STATUS[status] ?? `grpc-status ${status}` };
  const serving = servingStatus(answer);
  if (serving === 'SERVING') return { ok: true };
  return { ok: false, why: serving === undefined ? 'the answer makes no sense' : `the service says ${serving}` };
}

/** A stream that falls with its connection names the error of the connection as its cause. */
function failureText({ code, message, cause }: NodeJS.ErrnoException): string {
  const tls = tlsFailure(code);
  if (tls !== undefined) return tls;
  if (code === 'ERR_HTTP2_STREAM_CANCEL') return cause instanceof Error ? failureText(cause) : BROKEN;
  if (code === 'ERR_HTTP2_STREAM_ERROR') return 'the server gave up the request';
  if (code === 'ECONNRESET') return BROKEN;
  return code?.startsWith('ERR_HTTP2') ? 'no HTTP/2 is spoken there' : (code ?? message);
}
