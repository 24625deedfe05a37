import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ip, type MacAddress } from '../../core/net/address.ts';
import { encodeArp } from '../../core/net/arp.ts';
import { AF_PACKET, ETH_P_ALL, SOCK_RAW } from '../../core/system/linux.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { tapSockaddr } from '../../core/system/sockaddr.ts';
import { routersOf4, routersOf6 } from '../../plugins/check-gateway/routes.ts';
import { needs } from '../support/needs.ts';
import { checkOf, read } from './block.ts';
import { enterTwoNetworks, leaveTwoNetworks, look, network, onPeer, run } from './two-networks.ts';

describe('check-gateway', needs('root', 'ip', 'nft'), () => {
  before(enterTwoNetworks);
  after(() => {
    network.close();
    leaveTwoNetworks();
  });
  beforeEach(() => {
    for (const family of ['-4', '-6']) {
      run('ip', family, 'route', 'flush', 'exact', 'default');
      onPeer('ip', '-4', 'addr', 'flush', 'dev', 'eth0');
    }
    onPeer('ip', 'addr', 'add', '192.0.2.2/24', 'dev', 'eth0');
  });

  const gone = { ok: false, why: '192.0.2.254: no answer' };

  test('the router of the default route is found and asked, also over IPv6', async () => {
    assert.deepEqual(await look('gateway', ''), { ok: false, why: 'there is no default route to a router' });
    run('ip', 'route', 'add', 'default', 'via', '192.0.2.2');
    assert.deepEqual(await look('gateway', 'family ipv4'), { ok: true, detail: '192.0.2.2' });
    assert.deepEqual(await look('gateway', 'family ipv6'), {
      ok: false,
      why: 'there is no default route to a router',
    });
    run('ip', '-6', 'route', 'add', 'default', 'via', 'fd00::2');
    assert.deepEqual(await look('gateway', 'family ipv6'), { ok: true, detail: 'fd00::2' });
    assert.deepEqual(await look('gateway', 'need all'), { ok: true });
    assert.deepEqual(await look('gateway', 'interface lo'), {
      ok: false,
      why: 'there is no default route to a router',
    });
  });

  test('a router that forwards and answers no ping is there all the same', async () => {
    onPeer('sysctl', '-qw', 'net.ipv4.icmp_echo_ignore_all=1');
    assert.deepEqual(await look('gateway', 'address 192.0.2.2'), { ok: true, detail: '192.0.2.2' });
    onPeer('sysctl', '-qw', 'net.ipv4.icmp_echo_ignore_all=0');
  });

  test('a router that is gone fails, although the neighbour table still has it', async () => {
    run('ip', 'neigh', 'replace', '192.0.2.254', 'lladdr', '02:00:00:00:00:01', 'dev', 'veth0', 'nud', 'permanent');
    run('ip', '-6', 'neigh', 'replace', 'fd00::99', 'lladdr', '02:00:00:00:00:01', 'dev', 'veth0', 'nud', 'permanent');
    assert.deepEqual(await look('gateway', 'address 192.0.2.254', 200), gone);
    assert.deepEqual(await look('gateway', 'address fd00::99', 200), { ok: false, why: 'fd00::99: no answer' });
  });

  test('of several, one or all must answer', async () => {
    const both = 'address 192.0.2.254\naddress 192.0.2.2\n';
    assert.deepEqual(await look('gateway', both, 200), { ok: true, detail: '192.0.2.2' });
    assert.deepEqual(await look('gateway', `${both}need all`, 200), gone);
  });

  test('a lost frame is not a lost router', async () => {
    // The first question finds nobody; a later one does.
    const native = loadNative();
    const watch = native.socket(AF_PACKET, SOCK_RAW, 0);
    native.bind(watch, tapSockaddr(0, ETH_P_ALL));
    const probe = look('gateway', 'address 192.0.2.253\ninterface veth0', 4_000);
    const frame = new Uint8Array(128);
    for (let asked = 0; asked < 1; ) {
      const length = native.recv(watch, frame);
      if (length < 0) await new Promise(setImmediate);
      // An ARP question for it, on its way out.
      else if (frame[12] === 8 && frame[13] === 6 && frame[21] === 1 && frame[41] === 253) asked++;
    }
    onPeer('ip', 'addr', 'add', '192.0.2.253/24', 'dev', 'eth0');
    assert.deepEqual(await probe, { ok: true, detail: '192.0.2.253' });
    native.close(watch);
  });

  test('what cannot be asked is said at once', async () => {
    const only = async (lines: string) => await look('gateway', lines);
    assert.deepEqual(await only('address 198.51.100.1'), {
      ok: false,
      why: '198.51.100.1: it is in the network of no interface',
    });
    assert.deepEqual(await only('address 198.51.100.1\ninterface nosuch'), {
      ok: false,
      why: '198.51.100.1: there is no such interface',
    });
    run('ip', 'link', 'add', 'off0', 'type', 'veth');
    assert.deepEqual(await only('address 198.51.100.1\ninterface off0'), {
      ok: false,
      why: '198.51.100.1: the interface is down',
    });
  });

  test('asking teaches nobody anything: in another network we have no address', async () => {
    const native = loadNative();
    const watch = native.socket(AF_PACKET, SOCK_RAW, 0);
    native.bind(watch, tapSockaddr(0, ETH_P_ALL));
    const probe = look('gateway', 'address 198.51.100.1\ninterface veth0', 200);
    const frame = new Uint8Array(128);
    const isQuestion = (): boolean => frame[12] === 8 && frame[13] === 6 && frame[38] === 198;
    while (!(native.recv(watch, frame) > 0 && isQuestion())) await new Promise(setImmediate);
    native.close(watch);
    const mac = network.links().find(({ name }) => name === 'veth0')!.mac!;
    assert.deepEqual(
      frame.slice(0, 42),
      encodeArp({
        destination: 'ff:ff:ff:ff:ff:ff' as MacAddress,
        source: mac,
        arp: {
          operation: 'request',
          senderMac: mac,
          senderIp: ip('0.0.0.0'),
          targetMac: '00:00:00:00:00:00' as MacAddress,
          targetIp: ip('198.51.100.1'),
        },
      }),
    );
    await probe;
  });
});

test('the tables of the kernel are read', () => {
  const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	FE0200C0	0003	0	0	0	00000000	0	0	0
eth1	00000000	00000000	0001	0	0	9	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
eth0	00000000	FD0200C0	0203	0	0	0	00000000	0	0	0
`;
  assert.deepEqual(routersOf4(table), [{ address: '192.0.2.254', interface: 'eth0' }]);
  const zero = '0'.repeat(32);
  const table6 = `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`;
  assert.deepEqual(routersOf6(table6), [{ address: 'fe80::1', interface: 'eth0' }]);
});

test('without the addon it cannot run and says what to do', () => {
  assert.throws(() => checkOf('gateway', ''), /needs the native addon.*fix: node/);
});

test('the block of gateway is checked', () => {
  assert.deepEqual(read('gateway', '').options, { address: [], need: 'any', family: 'any' });
  assert.deepEqual(read('gateway', 'address 224.0.0.1\nfamily ipv4').said, [
    'address: 224.0.0.1 is a group, not a router',
    'family: it chooses among default routes, and address does',
  ]);
});
