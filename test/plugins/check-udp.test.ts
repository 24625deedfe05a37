import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { checkOf, read } from './block.ts';

/** A UDP service that answers so; undefined: it is silent. */
async function service(answer: string | undefined): Promise<{ readonly port: number; readonly socket: Socket }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (question, from) => {
    if (answer !== undefined) socket.send(answer === 'echo' ? question : answer, from.port, from.address);
  });
  return { port: socket.address().port, socket };
}

describe('check-udp', () => {
  test('an answer is good when it is what is expected', async () => {
    const { port, socket } = await service('echo');
    const block = (more: string) => `host 127.0.0.1\nport ${port}\npayload 70696e67\nrequire_reply\n${more}`;
    assert.deepEqual(await checkOf('udp', block('expect ^ping$')).look(), { ok: true, detail: '4 bytes' });
    assert.deepEqual(await checkOf('udp', block('expect ^pong$')).look(), {
      ok: false,
      why: 'the answer is not what is expected',
    });
    assert.deepEqual(await checkOf('udp', block('min_reply 5')).look(), { ok: false, why: 'an answer of 4 bytes' });
    socket.close();
  });
  test('silence is good unless an answer is required', async () => {
    const { port, socket } = await service(undefined);
    const block = `host 127.0.0.1\nport ${port}\n`;
    assert.deepEqual(await checkOf('udp', block, 100).look(), { ok: true, detail: 'not refused' });
    assert.deepEqual(await checkOf('udp', `${block}require_reply`, 100).look(), { ok: false, why: 'timed out' });
    socket.close();
  });
  test('a port without a service is refused', async () => {
    const { port, socket } = await service(undefined);
    socket.close();
    await once(socket, 'close');
    assert.deepEqual(await checkOf('udp', `host 127.0.0.1\nport ${port}`).look(), { ok: false, why: 'ECONNREFUSED' });
  });
  test('an address that cannot be reached at all is a failure like others, and harms nobody', async () => {
    assert.deepEqual(await checkOf('udp', 'host 255.255.255.255\nport 9').look(), { ok: false, why: 'EACCES' });
  });
  test('a name is looked up, an unknown one fails', async () => {
    const { port, socket } = await service('echo');
    const named = (host: string) =>
      checkOf('udp', `host ${host}\nport ${port}\nrequire_reply\nsource 127.0.0.1`).look();
    assert.equal((await named('127.0.0.1')).ok, true);
    const unknown = await named('no-such-host.invalid');
    assert.match(unknown.ok ? '' : unknown.why, /^getaddrinfo (ENOTFOUND|EAI_AGAIN) no-such-host\.invalid/);
    socket.close();
  });
  test('its block is checked', () => {
    assert.deepEqual(read('udp', 'port 53').said, ['W059 udp in vrrp_check c needs host']);
    assert.deepEqual(read('udp', 'host a\nport 0').said, ['W011 port 0 is out of range 1..65535; port is ignored']);
    assert.deepEqual(read('udp', 'host a\nport 1\npayload xyz\nmin_reply 9\nmax_reply 3').said, [
      "payload: 'xyz' is not made of pairs of hexadecimal digits",
      'min_reply: min_reply 9 is more than max_reply 3',
      'require_reply: an answer is looked at only if there is one',
    ]);
  });
});
