import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { internetChecksum } from '../../core/net/checksum.ts';
import type { ProbeResult } from '../../core/plugin/check.ts';
import { AF_INET, IPPROTO_ICMP, SOCK_RAW } from '../../core/system/linux.ts';
import { needs } from '../support/needs.ts';
import { checkOf, read } from './block.ts';
import {
  checkHere,
  enterTwoNetworks,
  leaveTwoNetworks,
  look,
  lookBriefly,
  network,
  onPeer,
  type PeerSocket,
  peerRule,
  peerSocket,
  run,
} from './two-networks.ts';

const whyOf = (result: ProbeResult | 'pending'): string =>
  result === 'pending' ? result : result.ok ? 'ok' : result.why;

describe('check-ping', needs('root', 'ip', 'nft'), () => {
  before(enterTwoNetworks);
  after(() => {
    network.close();
    leaveTwoNetworks();
  });

  for (const [name, lines] of Object.entries({
    'an IPv4 host': 'host 192.0.2.2',
    'an IPv6 host': 'host fd00::2',
    'a name': 'host localhost',
    'this machine': 'host 127.0.0.1',
    'several packets': 'host 192.0.2.2\ncount 5',
    'the largest packets, in fragments': 'host 192.0.2.2\nsize 8972',
    'the largest packets of IPv6': 'host fd00::2\nsize 8972',
    'the smallest packets': 'host 192.0.2.2\nsize 16\nttl 1',
    'a chosen source and interface': 'host 192.0.2.2\nsource 192.0.2.1\ninterface veth0\nttl 9',
    'a chosen source and interface of IPv6': 'host fd00::2\nsource fd00::1\ninterface veth0\nttl 9',
  }))
    test(`${name}: it answers`, async () => {
      const result = await look('ping', lines);
      assert.equal(whyOf(result), 'ok');
      assert.match(result.ok ? (result.detail ?? '') : '', /^\d+\.\d\d ms$/);
    });

  test('a link-local host is asked by its interface', async () => {
    onPeer('ip', 'addr', 'add', 'fe80::2/64', 'dev', 'eth0', 'nodad');
    run('ip', 'addr', 'add', 'fe80::1/64', 'dev', 'veth0', 'nodad');
    assert.equal(whyOf(await look('ping', 'host fe80::2\ninterface veth0')), 'ok');
  });

  test('a host whose packets are dropped has not answered when the time is up', async () => {
    const heal = peerRule('icmp type echo-request drop');
    assert.equal(await lookBriefly('ping', 'host 192.0.2.2', 100), 'pending');
    heal();
    assert.equal(whyOf(await look('ping', 'host 192.0.2.2')), 'ok');
  });

  for (const [rule, host, why] of [
    ['icmp type echo-request reject with icmp admin-prohibited', '192.0.2.2', 'a firewall says that it is forbidden'],
    [
      'icmp type echo-request reject with icmp host-unreachable',
      '192.0.2.2',
      'a router says that the host is unreachable',
    ],
    [
      'icmp type echo-request reject with icmp net-unreachable',
      '192.0.2.2',
      'a router says that there is no route to it',
    ],
    ['icmpv6 type echo-request reject with icmpv6 admin-prohibited', 'fd00::2', 'a firewall says that it is forbidden'],
    ['icmpv6 type echo-request reject with icmpv6 no-route', 'fd00::2', 'a router says that there is no route to it'],
  ] as const)
    test(`${rule}: it fails at once`, async () => {
      const heal = peerRule(rule);
      assert.equal(whyOf(await look('ping', `host ${host}`)), why);
      heal();
    });

  test('what this machine itself knows fails at once', async () => {
    assert.equal(whyOf(await look('ping', 'host 198.51.100.1')), 'this machine has no route to it');
    assert.equal(whyOf(await look('ping', 'host 192.0.2.2\ninterface nosuch')), 'there is no such interface');
    assert.equal(whyOf(await look('ping', 'host 192.0.2.255')), 'it is a broadcast address');
    assert.notEqual(whyOf(await look('ping', 'host 192.0.2.2\nsource 192.0.2.77')), 'ok');
  });

  test('a TTL that is too small ends on the way', async () => {
    onPeer('ip', 'link', 'add', 'beyond', 'type', 'veth');
    onPeer('ip', 'link', 'set', 'beyond', 'up');
    onPeer('ip', 'route', 'add', '203.0.113.0/24', 'dev', 'beyond');
    onPeer('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    run('ip', 'route', 'add', '203.0.113.0/24', 'via', '192.0.2.2');
    assert.equal(whyOf(await look('ping', 'host 203.0.113.9\nttl 1')), 'the TTL ended on the way');
  });

  test('200 hosts are asked at once, and 1,000 probes leave no descriptor behind', async () => {
    await look('ping', 'host 192.0.2.2\ninterface veth0');
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    const checks = Array.from({ length: 200 }, (_, i) => checkHere('ping', `host ${i % 2 ? '192.0.2.2' : 'fd00::2'}`));
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(checks.map((check) => check.probe(new AbortController().signal)));
      assert.deepEqual([...new Set(results.map(whyOf))], ['ok']);
    }
    assert.equal(open(), before);
  });

  describe('with a peer that answers as the test wants', () => {
    let peer: PeerSocket;
    before(() => {
      onPeer('sysctl', '-qw', 'net.ipv4.icmp_echo_ignore_all=1');
      peer = peerSocket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    });
    after(() => {
      peer.close();
      onPeer('sysctl', '-qw', 'net.ipv4.icmp_echo_ignore_all=0');
    });
    /** The next request, from its ICMP header on, turned into its answer. */
    const answer = async (): Promise<Uint8Array> => {
      const packet = await peer.next((bytes) => bytes[20] === 8);
      const reply = packet.slice(20);
      reply[0] = 0;
      return withChecksum(reply);
    };
    const withChecksum = (message: Uint8Array): Uint8Array => {
      message.set([0, 0], 2);
      const sum = internetChecksum(message);
      message.set([sum >> 8, sum & 0xff], 2);
      return message;
    };
    const changed = (message: Uint8Array, at: number): Uint8Array => {
      const copy = message.slice();
      copy[at]! ^= 1;
      return withChecksum(copy);
    };

    test('answers to something else are no answers; the right one behind them is', async () => {
      const abort = new AbortController();
      let done = false;
      const probe = checkHere('ping', 'host 192.0.2.2').probe(abort.signal);
      void probe.then(() => {
        done = true;
      });
      const right = await answer();
      const [identifier, sequence, nonce, last] = [4, 6, 8, right.length - 1];
      for (const at of [identifier, sequence, nonce, last]) peer.send(changed(right, at));
      peer.send(withChecksum(right.slice(0, -1)));
      const damaged = right.slice();
      damaged[2]! ^= 1;
      peer.send(damaged);
      // A second probe from the same sockets, answered rightly, shows that the wrong ones were read.
      const witness = checkHere('ping', 'host 192.0.2.2').probe(abort.signal);
      peer.send(await answer());
      assert.equal(whyOf(await witness), 'ok');
      assert.equal(done, false);
      peer.send(right);
      assert.equal(whyOf(await probe), 'ok');
    });

    test('an answer from another host is no answer', async () => {
      onPeer('ip', 'addr', 'add', '192.0.2.3/24', 'dev', 'eth0');
      const abort = new AbortController();
      const probe = checkHere('ping', 'host 192.0.2.3').probe(abort.signal);
      // The peer's kernel sends it from 192.0.2.2.
      peer.send(await answer());
      const witness = checkHere('ping', 'host 192.0.2.2').probe(abort.signal);
      peer.send(await answer());
      assert.equal(whyOf(await witness), 'ok');
      abort.abort();
      assert.equal(whyOf(await probe), 'no answer');
    });

    test('packets may be lost up to the limit', async () => {
      const three = checkHere('ping', 'host 192.0.2.2\ncount 3\nloss 34').probe(new AbortController().signal);
      peer.send(await answer());
      await answer();
      peer.send(await answer());
      assert.equal(whyOf(await three), 'ok');
    });

    test('an answer that took too long counts as lost', async () => {
      const probe = checkHere('ping', 'host 192.0.2.2\nrtt 0.001').probe(new AbortController().signal);
      const late = await answer();
      const asked = performance.now();
      while (performance.now() < asked + 2) await new Promise(setImmediate);
      peer.send(late);
      assert.equal(whyOf(await probe), 'slower than 1 ms');
    });

    test('a probe whose time is up is forgotten, and its late answer with it', async () => {
      const abort = new AbortController();
      const probe = checkHere('ping', 'host 192.0.2.2\ncount 2').probe(abort.signal);
      const late = await answer();
      abort.abort();
      assert.equal(whyOf(await probe), 'no answer');
      peer.send(late);
      const next = checkHere('ping', 'host 192.0.2.2').probe(new AbortController().signal);
      peer.send(await answer());
      assert.equal(whyOf(await next), 'ok');
    });
  });
});

test('without a network it cannot run and says so', () => {
  assert.throws(() => checkOf('ping', 'host 192.0.2.2'), /offers no network/);
});

test('the block of ping is checked', () => {
  assert.deepEqual(read('ping', 'host 192.0.2.1\ninterface eth0\nrtt 0.05').options, {
    host: '192.0.2.1',
    count: 1,
    loss: 0,
    rtt: 50_000,
    size: 56,
    interface: 'eth0',
  });
  assert.deepEqual(read('ping', 'count 3').said, ['W059 ping in vrrp_check c needs host']);
  assert.deepEqual(read('ping', 'host a\nsize 3').said, [
    'W011 size 3 is out of range 16..8972; the default 56 is used',
  ]);
  assert.deepEqual(read('ping', 'host 224.0.0.18\nsource fd00::1\nloss 20').said, [
    'host: 224.0.0.18 is a group, not a host',
    'source: fd00::1 and the host 224.0.0.18 are of two families',
    'loss: 20 % of 1 packet is less than one',
  ]);
  assert.deepEqual(read('ping', 'host fe80::1').said, ['host: fe80::1 is a link-local address']);
});
