// check-http: one or several pages answer with an expected status and content, over HTTP or HTTPS. Knows no schedule.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';
import { type CheckHost, checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';
import { tlsOptions } from '../../core/plugin/tls-options.ts';
import { type Expectation, expectationOf, failureOf } from './expectation.ts';
import { ask, type Connection } from './request.ts';

const page = {
  path: { kind: 'text', default: '/', help: 'what to ask for, with its query' },
  method: { kind: 'choice', choices: ['GET', 'HEAD', 'POST', 'OPTIONS'], default: 'GET', help: 'how to ask' },
  status: { kind: 'words', help: 'status codes and ranges that are good; default 200-299', example: '200-299 401' },
  match: { kind: 'pattern', many: true, help: 'regular expression that the body must match' },
  no_match: { kind: 'pattern', many: true, help: 'regular expression that the body must not match' },
  digest: {
    kind: 'text',
    help: 'MD5 or SHA-256 of the body, in hexadecimal digits',
    example: 'd41d8cd98f00b204e9800998ecf8427e',
  },
  virtualhost: { kind: 'text', help: 'Host header for this page' },
} as const;

const options = {
  host: { kind: 'text', required: true, help: 'address or name to connect to', example: '127.0.0.1' },
  port: { kind: 'integer', min: 1, max: 65_535, help: 'TCP port; default 80, with tls 443' },
  source: { kind: 'address', help: 'local address to connect from' },
  tls: { kind: 'flag', help: 'speak HTTPS' },
  ...tlsOptions,
  virtualhost: { kind: 'text', help: 'Host header; default: the host' },
  header: { kind: 'text', many: true, secret: true, help: 'further header of every request', example: '"X-Health: 1"' },
  redirects: { kind: 'integer', min: 0, max: 10, default: 0, help: 'most redirections to follow' },
  url: { kind: 'block', options: page, many: true, help: 'a page to ask for; all of them must be good' },
} as const;

type Values = OptionValues<typeof options>;

interface Page {
  readonly path: string;
  readonly method: string;
  readonly virtualhost: string | undefined;
  readonly expectation: Expectation;
}

export const checkHttp = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'http',
  help: 'pages answer over HTTP or HTTPS with an expected status and content',
  options,
  validate(values, complain) {
    for (const header of values.header)
      if (!/^[!#$%&'*+.^_`|~\w-]+:\s*[^\r\n]*$/.test(header))
        complain('header', `'${header}' is no header`, 'write "Name: value"');
    for (const { path, status = [], digest } of values.url) {
      if (!path.startsWith('/')) complain('url', `path '${path}' does not begin with /`, `write /${path}`);
      for (const word of status)
        if (!/^[1-5]\d\d(-[1-5]\d\d)?$/.test(word))
          complain('url', `'${word}' is no status code`, 'write codes from 100 to 599, or ranges such as 200-299');
      if (digest !== undefined && !/^([0-9a-f]{32}|[0-9a-f]{64})$/i.test(digest))
        complain('url', `digest '${digest}' is neither 32 nor 64 hexadecimal digits`);
    }
    if (!values.tls && (values.ca !== undefined || values.sni !== undefined))
      complain('tls', 'ca and sni have no meaning without tls', 'add tls');
  },
  create: (values: Values, host: CheckHost): HealthCheck => {
    const connection = connectionOf(values);
    const pages = (
      values.url.length > 0 ? values.url : [{ path: '/', method: 'GET', match: [], no_match: [] } as const]
    ).map(
      (one): Page => ({
        path: one.path,
        method: one.method,
        virtualhost: one.virtualhost ?? values.virtualhost,
        expectation: expectationOf(one),
      }),
    );
    if (values.tls && !values.verify) host.log('warning', 'the certificate is not verified (verify off)');
    return { probe: (signal) => probe(connection, pages, values.redirects, signal) };
  },
});

/** @throws Error when the file of authorities cannot be read */
function connectionOf({ host, port, source, tls, sni, verify, ca, header }: Values): Connection {
  const name = sni ?? (isIP(host) === 0 ? host : undefined);
  const secure = {
    rejectUnauthorized: verify,
    ...(name !== undefined && { servername: name }),
    ...(ca !== undefined && { ca: [...rootCertificates, readFileSync(ca, 'utf8')] }),
  };
  return {
    host,
    port: port ?? (tls ? 443 : 80),
    source,
    secure: tls ? secure : undefined,
    headers: header.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    }),
  };
}

async function probe(
  connection: Connection,
  pages: readonly Page[],
  redirects: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  let detail = '';
  for (const { path, method, virtualhost, expectation } of pages) {
    const answer = await ask(connection, { path, method, virtualhost, redirects }, expectation.needsBody, signal);
    const where = pages.length > 1 ? `${path}: ` : '';
    if (typeof answer === 'string') return { ok: false, why: where + answer };
    const failure = failureOf(answer, expectation);
    if (failure !== undefined) return { ok: false, why: where + failure };
    detail = `status ${answer.status}`;
  }
  return { ok: true, detail };
}
