// check-http against the real nginx, and against servers that nginx would never be: half an answer, none, nonsense.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { command, needs } from '../support/needs.ts';
import { Authority } from './authority.ts';
import { checkOf, read } from './block.ts';
import { enterOwnNetwork, filter } from './own-network.ts';

const BODY = 'all is well\n';

describe('check-http', needs('root', 'ip', 'nft', 'nginx', 'openssl'), () => {
  let nginx: ChildProcess;
  let authority: Authority;
  const directory = mkdtempSync(join(tmpdir(), 'vk-http-'));
  const http = (more: string, timeoutMs?: number) =>
    checkOf('http', `host 127.0.0.1\nport 8080\n${more}`, timeoutMs).look();
  const https = (port: number, more: string) =>
    checkOf('http', `host 127.0.0.1\nport ${port}\ntls\nsni good.example\n${more}`).look();

  before(async () => {
    enterOwnNetwork();
    authority = new Authority();
    const secure = (port: number, name: string, from?: number, to?: number) => {
      const { certificate, key } = authority.issue(name, from, to);
      return `server { listen 127.0.0.1:${port} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key}; location / { return 200 "$ssl_server_name"; } }`;
    };
    const file = join(directory, 'nginx.conf');
    writeFileSync(join(directory, 'well'), BODY);
    writeFileSync(
      file,
      `daemon off; master_process off; pid ${file}.pid; events {}
http { access_log off; default_type text/plain;
server { listen 127.0.0.1:8080;
location / { root ${directory}; }
location /host { return 200 "$host $http_x_health $request_method"; }
location /missing { return 404; } location /broken { return 503; } location /teapot { return 418; }
location /moved { return 302 /well; } location /away { return 301 http://127.0.0.1:8080/moved; } location /elsewhere { return 302 http://localhost:8080/host; } location /round { return 302 /round; }
location /long { return 200 "${'x'.repeat(1000)}"; } }
${secure(8443, 'good.example')} ${secure(8444, 'good.example', -30, -1)} ${secure(8445, 'other.example')} ${secure(8446, 'good.example', 5, 30)} }`,
    );
    nginx = spawn(command('nginx')!, ['-e', 'stderr', '-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
    while (!(await reachable(8446))) assert.equal(nginx.exitCode, null);
  });
  after(() => {
    nginx.kill('SIGKILL');
    authority[Symbol.dispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test('a page is good by its status', async () => {
    assert.deepEqual(await http('url {\npath /well\n}'), { ok: true, detail: 'status 200' });
    assert.deepEqual(await http('url {\npath /missing\n}'), { ok: false, why: 'status 404' });
    assert.deepEqual(await http('url {\npath /teapot\nstatus 200-299 418\n}'), { ok: true, detail: 'status 418' });
    assert.deepEqual(await http('url {\npath /well\nmethod HEAD\n}'), { ok: true, detail: 'status 200' });
  });
  test('a page is good by its content', async () => {
    assert.deepEqual(await http('url {\npath /well\nmatch "is (well|fine)"\n}'), { ok: true, detail: 'status 200' });
    assert.deepEqual(await http('url {\npath /well\nmatch ill\n}'), { ok: false, why: 'the body does not match ill' });
    assert.deepEqual(await http('url {\npath /well\nno_match well\n}'), { ok: false, why: 'the body matches well' });
    for (const kind of ['md5', 'sha256']) {
      const digest = createHash(kind).update(BODY).digest('hex');
      assert.deepEqual(await http(`url {\npath /well\ndigest ${digest}\n}`), { ok: true, detail: 'status 200' });
      const wrong = digest.replace(/./, (c) => (c === '0' ? '1' : '0'));
      assert.deepEqual(await http(`url {\npath /well\ndigest ${wrong}\n}`), {
        ok: false,
        why: `the digest of the body is ${digest}`,
      });
    }
  });
  test('of several pages the first bad one is named', async () => {
    const pages = ['/well', '/broken', '/missing'].map((path) => `url {\npath ${path}\n}`).join('\n');
    assert.deepEqual(await http(pages), { ok: false, why: '/broken: status 503' });
  });
  test('the virtual host, headers and the method are sent', async () => {
    const page = (host: string) => `url {\npath /host\nmethod POST\nmatch "^${host} fit POST$"\n}`;
    assert.equal((await http(`virtualhost www.example\nheader "X-Health: fit"\n${page('www.example')}`)).ok, true);
  });
  test('redirections are followed as often as allowed', async () => {
    assert.deepEqual(await http('url {\npath /moved\n}'), { ok: false, why: 'status 302' });
    assert.deepEqual(await http('redirects 1\nurl {\npath /moved\nmatch well\n}'), { ok: true, detail: 'status 200' });
    assert.deepEqual(await http('redirects 1\nurl {\npath /away\n}'), { ok: false, why: 'status 302' });
    assert.deepEqual(await http('redirects 2\nurl {\npath /away\nmatch well\n}'), { ok: true, detail: 'status 200' });
    assert.deepEqual(await http('redirects 10\nurl {\npath /round\n}'), { ok: false, why: 'status 302' });
  });
  test('headers, which may carry a key, do not go along to another server', async () => {
    const page = 'url {\npath /elsewhere\nmatch "^localhost  GET$"\n}';
    assert.deepEqual(await http(`header "X-Health: fit"\nredirects 1\n${page}`), { ok: true, detail: 'status 200' });
  });
  test('a certificate must be valid, known and for the name', async () => {
    const ca = `ca ${authority.file}`;
    assert.deepEqual(await https(8443, `${ca}\nurl {\nmatch ^good\\.example$\n}`), {
      ok: true,
      detail: 'status 200',
    });
    assert.deepEqual(await https(8443, ''), { ok: false, why: 'the certificate is of an unknown authority' });
    assert.deepEqual(await https(8444, ca), { ok: false, why: 'the certificate has expired' });
    assert.deepEqual(await https(8446, ca), { ok: false, why: 'the certificate is not valid yet' });
    assert.deepEqual(await https(8445, ca), { ok: false, why: 'the certificate is for another name' });
    assert.deepEqual(await https(8444, 'verify off'), { ok: true, detail: 'status 200' });
    assert.deepEqual(await https(8080, ca), { ok: false, why: 'no TLS is spoken there' });
    assert.throws(() => checkOf('http', 'host a\ntls\nca /no/such/file'), /ENOENT/);
  });
  test('nobody there, and a filter that drops everything', async () => {
    assert.deepEqual(await checkOf('http', 'host 127.0.0.1\nport 1').look(), { ok: false, why: 'ECONNREFUSED' });
    const heal = filter(8080);
    assert.deepEqual(await http('', 200), { ok: false, why: 'timed out' });
    heal();
    assert.deepEqual(await http('url {\npath /well\n}'), { ok: true, detail: 'status 200' });
  });
  for (const [what, behave, why] of [
    ['is silent', () => {}, 'timed out'],
    ['closes at once', (socket) => socket.end(), 'the connection broke off before the answer'],
    ['resets', (socket) => socket.resetAndDestroy(), 'the connection broke off before the answer'],
    ['speaks something else', (socket) => socket.end('SSH-2.0-OpenSSH_9\r\n'), /^the answer is no HTTP \(HPE_/],
    ['stops in the head', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Le'), 'timed out'],
    ['stops in the body', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall'), 'timed out'],
    [
      'dies in the body',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall'),
      'the answer broke off',
    ],
    [
      'sends endless headers',
      (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', `X: ${'y'.repeat(1_000)}\r\n`),
      /^the answer is no HTTP \(HPE_HEADER_OVERFLOW\)/,
    ],
    [
      'sends an endless body',
      (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'z'.repeat(10_000)),
      'the body does not match all',
    ],
  ] as const satisfies readonly (readonly [string, (socket: Socket) => unknown, string | RegExp])[])
    test(`a server that ${what}`, async () => {
      const { server, port, sockets } = await serverThat(behave);
      const result = await checkOf('http', `host 127.0.0.1\nport ${port}\nurl {\nmatch all\n}`, 500).look();
      assert.equal(result.ok, false);
      if (typeof why === 'string') assert.equal(result.ok ? '' : result.why, why);
      else assert.match(result.ok ? '' : result.why, why);
      // Freed at once: the server sees the end of every connection.
      await Promise.all(
        sockets.map((socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))),
      );
      server.close();
    });
  test('its block is checked', () => {
    assert.deepEqual(
      read('http', 'host a\nsni b\nheader nonsense\nurl {\npath well\nstatus 99 abc\ndigest 12\n}').said,
      [
        "header: 'nonsense' is no header",
        "url: path 'well' does not begin with /",
        "url: '99' is no status code",
        "url: 'abc' is no status code",
        "url: digest '12' is neither 32 nor 64 hexadecimal digits",
        'tls: ca and sni have no meaning without tls',
      ],
    );
  });
});

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => setTimeout(resolve, 10, false));
    socket.once('connect', () => socket.destroy());
  });
}

async function serverThat(behave: (socket: Socket) => unknown) {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => behave(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, sockets, port: (server.address() as { port: number }).port };
}

function drip(socket: Socket, head: string, piece: string): void {
  socket.write(head);
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
    if (!socket.destroyed) socket.once('drain', more);
  };
  more();
}
