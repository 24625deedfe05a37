import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { before, describe, test } from 'node:test';
import { answer, type Zone } from '../support/dns-server.ts';
import { needs } from '../support/needs.ts';
import { checkOf, read } from './block.ts';
import { enterOwnNetwork, filter } from './own-network.ts';

const NAMES: Zone['names'] = {
  'www.example': { A: ['192.0.2.10', '192.0.2.11'], AAAA: ['2001:db8::10'] },
  '_sip._udp.example': { SRV: ['sip.example'] },
};

/** A name server on loopback; `reply` changes what it would say, undefined: nothing. */
async function serve(zone: Zone, reply = (bytes: Uint8Array | undefined) => bytes) {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (query, { port, address }) => {
    const bytes = reply(answer(query, zone));
    if (bytes !== undefined) socket.send(bytes, port, address);
  });
  return { port: socket.address().port, [Symbol.dispose]: () => void socket.close() };
}

const look = (port: number, more: string, timeout?: number) =>
  checkOf('dns', `server 127.0.0.1\nport ${port}\n${more}`, timeout).look();

describe('check-dns', needs('root', 'ip', 'nft'), () => {
  before(enterOwnNetwork);

  test('records are counted and compared', async () => {
    using server = await serve({ names: NAMES });
    assert.deepEqual(await look(server.port, 'name www.example\ntype A'), { ok: true, detail: '2 records' });
    assert.deepEqual(await look(server.port, 'name www.example\ntype A\nexpect ^192\\.0\\.2\\.11$\nsource 127.0.0.1'), {
      ok: true,
      detail: '2 records',
    });
    assert.deepEqual(await look(server.port, 'name www.example\ntype A\nexpect ^192\\.0\\.2\\.12$'), {
      ok: false,
      why: 'no record matches ^192\\.0\\.2\\.12$',
    });
    assert.deepEqual(await look(server.port, 'name www.example\ntype AAAA'), { ok: true, detail: '1 record' });
    assert.deepEqual(await look(server.port, 'name _sip._udp.example\ntype SRV\nexpect "^0 0 112 sip\\.example$"'), {
      ok: true,
      detail: '1 record',
    });
  });
  test('no such name, no such records, a server that fails', async () => {
    using server = await serve({ names: NAMES });
    assert.deepEqual(await look(server.port, 'name nobody.example\ntype A'), {
      ok: false,
      why: 'there is no such name',
    });
    assert.deepEqual(await look(server.port, 'name www.example\ntype MX'), {
      ok: false,
      why: 'there are no records of that type',
    });
    using failing = await serve({ mode: 'failing' });
    assert.deepEqual(await look(failing.port, 'name www.example\ntype A'), { ok: false, why: 'the server fails' });
  });
  test('silence, half an answer, nonsense, and an answer that dies on the way', async () => {
    using silent = await serve({ mode: 'silent' });
    const asked = 'name www.example\ntype A';
    assert.equal((await look(silent.port, asked, 200)).ok, false);
    using half = await serve({ names: NAMES }, (bytes) => bytes?.subarray(0, bytes.length - 3));
    const cut = await look(half.port, asked, 500);
    assert.match(cut.ok ? '' : cut.why, /^(the answer makes no sense|timed out)$/);
    using odd = await serve({ names: NAMES }, () => Uint8Array.from([1, 2, 3]));
    const nonsense = await look(odd.port, asked, 500);
    assert.match(nonsense.ok ? '' : nonsense.why, /^(the answer makes no sense|timed out)$/);
  });
  test('nobody there, and a filter that drops everything', async () => {
    using server = await serve({ names: NAMES });
    const heal = filter(server.port, 'udp');
    assert.equal((await look(server.port, 'name www.example\ntype A', 200)).ok, false);
    heal();
    assert.equal((await look(server.port, 'name www.example\ntype A')).ok, true);
    assert.deepEqual(await look(1, 'name www.example\ntype A', 2_000), { ok: false, why: 'ECONNREFUSED' });
  });
  test('its block is checked', () => {
    assert.deepEqual(read('dns', 'name a').said, ['W059 dns in vrrp_check c needs server']);
    assert.match(read('dns', 'server 127.0.0.1\ntype Q').said[0]!, /^W012 type 'Q' is not one of A\|AAAA\|/);
    assert.deepEqual(read('dns', 'server 127.0.0.1').options, {
      server: '127.0.0.1',
      port: 53,
      type: 'SOA',
      name: '.',
      expect: [],
    });
  });
});
