import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { before, describe, test } from 'node:test';
import { needs } from '../support/needs.ts';
import { checkOf, read } from './block.ts';
import { enterOwnNetwork, filter } from './own-network.ts';

/** A server that does so with each connection; `ended` resolves when a connection is gone. */
async function serverThat(behave: (socket: Socket) => unknown) {
  const ended = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? ''));
    socket.on('close', () => ended.resolve('closed'));
    behave(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { port, ended: ended.promise, [Symbol.dispose]: () => void server.close() };
}

describe('check-tcp', needs('root', 'ip', 'nft'), () => {
  before(enterOwnNetwork);

  test('a connection is enough, and is reset', async () => {
    using server = await serverThat((socket) => socket.resume());
    const block = `host 127.0.0.1\nport ${server.port}\nsource 127.0.0.1`;
    assert.deepEqual(await checkOf('tcp', block).look(), { ok: true });
    assert.equal(await server.ended, 'ECONNRESET');
  });
  test('what is expected may come in pieces, after what was sent', async () => {
    using server = await serverThat((socket) =>
      socket.once('data', (question) => {
        assert.equal(`${question}`, 'PING\r\n');
        socket.write('+PO');
        setImmediate(() => socket.write('NG\r\n'));
      }),
    );
    const block = `host 127.0.0.1\nport ${server.port}\nsend "PING\\r\\n"\nexpect ^\\+PONG`;
    assert.deepEqual(await checkOf('tcp', block).look(), { ok: true });
  });
  test('bytes may be sent', async () => {
    const said = Promise.withResolvers<string>();
    using server = await serverThat((socket) =>
      socket.once('data', (question) => {
        said.resolve(question.toString('hex'));
        socket.write('S');
      }),
    );
    const block = `host 127.0.0.1\nport ${server.port}\nsend "\\x00\\x08\\xD2\\\\x41é\\n"\nexpect ^[SN]`;
    assert.deepEqual(await checkOf('tcp', block).look(), { ok: true });
    assert.equal(await said.promise, '0008d25c783431c3a90a');
  });
  for (const [what, behave, why] of [
    ['is silent', () => {}, 'timed out'],
    ['says something else', (socket) => socket.write('-ERR\r\n'), 'timed out'],
    ['says half of it', (socket) => socket.write('+PO'), 'timed out'],
    ['says something else and closes', (socket) => socket.end('-ERR\r\n'), 'closed after another answer'],
    ['closes', (socket) => socket.end(), 'closed after no answer'],
    ['dies', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['talks without end', (socket) => socket.write('x'.repeat(100_000)), 'a long answer without what is expected'],
  ] as const satisfies readonly (readonly [string, (socket: Socket) => unknown, string])[])
    test(`a server that ${what}`, async () => {
      using server = await serverThat(behave);
      const result = await checkOf('tcp', `host 127.0.0.1\nport ${server.port}\nexpect ^\\+PONG`, 300).look();
      assert.deepEqual(result, { ok: false, why });
      await server.ended; // freed at once
    });
  test('nobody there, and a filter that drops everything', async () => {
    assert.deepEqual(await checkOf('tcp', 'host 127.0.0.1\nport 1').look(), { ok: false, why: 'ECONNREFUSED' });
    using server = await serverThat(() => {});
    const heal = filter(server.port);
    const check = checkOf('tcp', `host 127.0.0.1\nport ${server.port}`, 200);
    assert.deepEqual(await check.look(), { ok: false, why: 'timed out' });
    heal();
    assert.deepEqual(await check.look(), { ok: true });
  });
  test('its block is checked', () => {
    assert.deepEqual(read('tcp', 'host a\nport 1\nsend x').said, [
      'send: what is sent gets no answer that is looked at',
    ]);
    assert.deepEqual(read('tcp', '').said, [
      'W059 tcp in vrrp_check c needs host',
      'W059 tcp in vrrp_check c needs port',
    ]);
    assert.deepEqual(read('tcp', 'host a\nport 1\nprot 2').said, ['W010 unknown keyword prot in tcp']);
  });
});
