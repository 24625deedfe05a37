import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as http1 } from 'node:http';
import { createServer as http2, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check';
import { needs } from '../support/needs.ts';
import { Authority } from './authority.ts';
import { checkOf, read } from './block.ts';
import { enterOwnNetwork, filter } from './own-network.ts';

describe('check-grpc', needs('root', 'ip', 'nft', 'openssl'), () => {
  let authority: Authority;
  const closers: (() => void)[] = [];
  /** A real gRPC server with the standard health service. */
  const serve = async (statuses: ServingStatusMap, credentials = ServerCredentials.createInsecure()) => {
    const server = new Server();
    const health = new HealthImplementation(statuses);
    health.addToServer(server);
    closers.push(() => server.forceShutdown());
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    return { port, health };
  };
  const secured = (name: string, from?: number, to?: number) => {
    const { certificate, key } = authority.issue(name, from, to);
    return ServerCredentials.createSsl(null, [
      { cert_chain: readFileSync(certificate), private_key: readFileSync(key) },
    ]);
  };
  const listening = async (server: {
    listen(port: number, host: string, done: () => void): unknown;
    address(): unknown;
    close(): unknown;
  }): Promise<number> => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    closers.push(() => void server.close());
    return (server.address() as { port: number }).port;
  };
  const look = (port: number, more = '', timeout?: number) =>
    checkOf('grpc', `host 127.0.0.1\nport ${port}\n${more}`, timeout).look();

  before(() => {
    enterOwnNetwork();
    authority = new Authority();
  });
  after(() => {
    for (const close of closers) close();
    authority[Symbol.dispose]();
  });

  test('a server and its services, as they come and go', async () => {
    const { port, health } = await serve({ '': 'SERVING', 'shop.Cart': 'NOT_SERVING' });
    assert.deepEqual(await look(port), { ok: true });
    assert.deepEqual(await look(port, 'service shop.Cart'), { ok: false, why: 'the service says NOT_SERVING' });
    assert.deepEqual(await look(port, 'service shop.Till'), {
      ok: false,
      why: 'the service is unknown to the server (NOT_FOUND)',
    });
    const name = `shop.${'x'.repeat(300)}`;
    health.setStatus(name, 'SERVING');
    assert.deepEqual(await look(port, `service ${name}`), { ok: true });
    health.setStatus('', 'UNKNOWN');
    assert.deepEqual(await look(port), { ok: false, why: 'the service says UNKNOWN' });
  });
  test('a server without the health service', async () => {
    const server = new Server();
    closers.push(() => server.forceShutdown());
    const port = await new Promise<number>((resolve) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound)),
    );
    assert.deepEqual(await look(port), { ok: false, why: 'the server has no health service (UNIMPLEMENTED)' });
  });
  test('TLS with a certificate that is good, of an unknown authority, expired, for another name', async () => {
    const { port } = await serve({ '': 'SERVING' }, secured('127.0.0.1'));
    const ca = `ca ${authority.file}`;
    assert.deepEqual(await look(port, `tls\n${ca}`), { ok: true });
    assert.deepEqual(await look(port, 'tls\nverify off'), { ok: true });
    assert.deepEqual(await look(port, 'tls'), { ok: false, why: 'the certificate is of an unknown authority' });
    const expired = await serve({ '': 'SERVING' }, secured('127.0.0.1', -30, -1));
    assert.deepEqual(await look(expired.port, `tls\n${ca}`), { ok: false, why: 'the certificate has expired' });
    const other = await serve({ '': 'SERVING' }, secured('other.example'));
    assert.deepEqual(await look(other.port, `tls\n${ca}`), { ok: false, why: 'the certificate is for another name' });
    assert.deepEqual(await look(other.port, `tls\n${ca}\nsni other.example`), { ok: true });
  });
  test('TLS where none is spoken, and none where TLS is', async () => {
    const { port } = await serve({ '': 'SERVING' });
    assert.deepEqual(await look(port, 'tls'), { ok: false, why: 'no TLS is spoken there' });
    const secure = await serve({ '': 'SERVING' }, secured('127.0.0.1'));
    assert.equal((await look(secure.port)).ok, false);
  });
  for (const [what, behave, why] of [
    ['ends without trailers', (s) => answer(s, [0, 0, 0, 0, 2, 8, 1]), 'the answer broke off'],
    [
      'is HTTP/2 and no gRPC',
      (s) => s.respond({ ':status': 404 }, { endStream: true }),
      'HTTP status 404: no gRPC is spoken there',
    ],
    ['says half a message', (s) => answer(s, [0, 0, 0, 0, 2, 8], '0'), 'the answer makes no sense'],
    ['says no message', (s) => answer(s, [], '0'), 'the answer makes no sense'],
    ['says an unknown status', (s) => answer(s, [0, 0, 0, 0, 2, 8, 9], '0'), 'the answer makes no sense'],
    ['says an empty message', (s) => answer(s, [0, 0, 0, 0, 0], '0'), 'the service says UNKNOWN'],
    ['fails', (s) => answer(s, [], '13'), 'grpc-status 13'],
    ['talks without end', (s) => answer(s, new Array<number>(10_000).fill(0), '0'), 'the answer is too long'],
    ['dies mid-answer', (s) => dieAfterHeaders(s), 'the connection broke off'],
    ['takes the stream back', (s) => s.close(2), 'the server gave up the request'],
    ['hears and is silent', () => {}, 'timed out'],
    ['says headers alone', (s) => s.respond({ ':status': 200 }), 'timed out'],
  ] as const satisfies readonly (readonly [string, (stream: ServerHttp2Stream) => unknown, string])[])
    test(`a server that ${what}`, async () => {
      const server = http2();
      const ended = Promise.withResolvers<void>();
      server.on('session', (session) => session.on('close', ended.resolve).on('error', () => {}));
      server.on('stream', (stream) => {
        stream.on('error', () => {});
        behave(stream);
      });
      const port = await listening(server);
      assert.deepEqual(await look(port, '', 300), { ok: false, why });
      await ended.promise; // freed at once
    });
  for (const [what, behave, why] of [
    ['is silent', () => {}, 'timed out'],
    ['closes', (socket) => socket.end(), 'the connection broke off'],
    ['dies', (socket) => socket.resetAndDestroy(), 'the connection broke off'],
    ['speaks SMTP', (socket) => socket.write('220 mail.example ESMTP\r\n'), 'no HTTP/2 is spoken there'],
  ] as const satisfies readonly (readonly [string, (socket: Socket) => unknown, string])[])
    test(`a port that ${what}`, async () => {
      const ended = Promise.withResolvers<void>();
      const server = createServer((socket) => {
        socket.on('error', () => {}).on('close', () => ended.resolve());
        socket.resume();
        behave(socket);
      });
      const port = await listening(server);
      assert.deepEqual(await look(port, '', 300), { ok: false, why });
      await ended.promise;
    });
  test('a server of HTTP/1', async () => {
    const port = await listening(http1((_, response) => response.end('hello')));
    assert.deepEqual(await look(port, '', 1_000), { ok: false, why: 'no HTTP/2 is spoken there' });
  });
  test('nobody there, and a filter that drops everything', async () => {
    assert.deepEqual(await look(1), { ok: false, why: 'ECONNREFUSED' });
    const { port } = await serve({ '': 'SERVING' });
    const heal = filter(port);
    assert.deepEqual(await look(port, '', 200), { ok: false, why: 'timed out' });
    heal();
    assert.deepEqual(await look(port), { ok: true });
  });
  test('its block is checked', () => {
    assert.deepEqual(read('grpc', 'host a\nport 1\nca /x').said, ['tls: ca and sni have no meaning without tls']);
    assert.deepEqual(read('grpc', 'host a').said, ['W059 grpc in vrrp_check c needs port']);
    assert.equal(read('grpc', 'host a\nport 1').options?.['service'], '');
  });
});

function dieAfterHeaders(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200 });
  stream.session?.destroy();
}

/** An answer with these bytes; without a status there are no trailers. */
function answer(stream: ServerHttp2Stream, bytes: readonly number[], status?: string): void {
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc' },
    status === undefined ? {} : { waitForTrailers: true },
  );
  if (status !== undefined) stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
  stream.end(Buffer.from(bytes));
}
