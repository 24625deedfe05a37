// Pings where the addon does not load: a process of its own with raw-socket, tried from a process that is its parent.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { ip } from '../../core/net/address.ts';
import { PortableCheckNetwork } from '../../core/system/portable/check-network.ts';
import { enterOwnNetwork } from '../plugins/own-network.ts';
import { needsRawSocket } from '../support/raw-socket.ts';

const children = (): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('echo-process') &&
        readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[3] === String(process.pid)
      );
    } catch {
      return false;
    }
  });

describe('checks on the network without the addon', needsRawSocket('root', 'ip', 'nft'), () => {
  const network = new PortableCheckNetwork();
  const ping = (target: string, more: object = {}, signal = new AbortController().signal) =>
    network.ping({ target: ip(target), size: 56, ...more }, signal);

  before(enterOwnNetwork);
  after(() => network.close());

  test('a host is asked, from an interface and with a TTL, too', async () => {
    for (const more of [{}, { interface: 'lo' }, { ttl: 1 }, { size: 1000 }])
      assert.equal((await ping('127.0.0.1', more)).ok, true, JSON.stringify(more));
  });

  test('many are asked at once by one process', async () => {
    const results = await Promise.all(Array.from({ length: 100 }, (_, i) => ping(`127.0.0.${i + 1}`)));
    assert.ok(results.every(({ ok }) => ok));
    assert.equal(children().length, 1);
  });

  test('what fails says why', async () => {
    assert.deepEqual(await ping('198.51.100.1'), { ok: false, why: 'this machine has no route to it' });
    assert.deepEqual(await ping('127.0.0.1', { interface: 'nosuch' }), {
      ok: false,
      why: 'there is no such interface',
    });
    assert.match(JSON.stringify(await ping('::1')), /IPv6 needs the native addon; fix: node/);
    assert.match(JSON.stringify(await ping('127.0.0.1', { source: '127.0.0.2' })), /source needs the native addon/);
  });

  test('silence lasts until the time is up', async () => {
    const rules =
      'add table ip t; add chain ip t c { type filter hook input priority 0; }; add rule ip t c icmp type echo-request drop';
    execFileSync('nft', [rules], { env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } });
    const abort = new AbortController();
    const silent = ping('127.0.0.1', {}, abort.signal);
    assert.equal(await Promise.race([silent, new Promise((resolve) => setTimeout(resolve, 50, 'pending'))]), 'pending');
    abort.abort();
    assert.deepEqual(await silent, { ok: false, why: 'no answer' });
    execFileSync('nft', ['delete table ip t'], { env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } });
    assert.equal((await ping('127.0.0.1')).ok, true);
  });

  test('when its process dies, whoever waits is told, and the next ping starts another', async () => {
    const [child] = children();
    process.kill(Number(child), 'SIGSTOP');
    const waiting = ping('127.0.0.1');
    process.kill(Number(child), 'SIGKILL');
    assert.deepEqual(await waiting, { ok: false, why: 'the process that pings ended' });
    assert.equal((await ping('127.0.0.1')).ok, true);
  });

  test('interfaces are seen', () => {
    const lo = network.links().find(({ name }) => name === 'lo');
    assert.equal(lo?.up, true);
    assert.deepEqual(lo?.addresses[0], { address: '127.0.0.1', prefixLength: 8 });
  });
});
