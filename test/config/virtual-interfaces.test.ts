// Interfaces that the file asks for: names that are unique and short enough, MAC addresses, and which addresses go on them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { load } from '../../core/config/load.ts';
import type { InstanceConfig } from '../../core/config/model.ts';

function build(...texts: readonly string[]): {
  readonly instances: readonly InstanceConfig[];
  readonly codes: readonly string[];
} {
  const blocks = texts.map((text, i) =>
    text.startsWith('global_defs')
      ? text
      : `vrrp_instance V${i} {\n interface eth${i}\n virtual_router_id 7\n priority 100\n ${text.replaceAll('; ', '\n ')}\n}`,
  );
  const { configuration, diagnostics } = load({ file: 'f', text: blocks.join('\n') }, { hostName: 'h' });
  assert.ok(configuration, JSON.stringify(diagnostics));
  return { instances: configuration.instances, codes: diagnostics.map(({ code }) => code) };
}

const VIP = 'virtual_ipaddress {\n 10.0.0.1/24\n }';
const names = (instances: readonly InstanceConfig[]) => instances.map(({ virtualInterface }) => virtualInterface?.name);

describe('interfaces of virtual routers', () => {
  test('are called after the VRID, each once; addresses without an interface go on them', () => {
    const { instances } = build(
      `use_vmac; ${VIP}`,
      `use_vmac; ${VIP}`,
      'use_vmac; virtual_ipaddress {\n fd00::1/64\n }',
    );
    assert.deepEqual(names(instances), ['vrrp.7', 'vrrp4.7', 'vrrp6.7']);
    assert.deepEqual(
      instances.map(({ vips }) => vips[0]!.device),
      ['vrrp.7', 'vrrp4.7', 'vrrp6.7'],
    );
    assert.deepEqual(
      instances.map(({ virtualInterface: one }) => one?.kind === 'macvlan' && one.mac),
      ['00:00:5e:00:01:07', '00:00:5e:00:01:07', '00:00:5e:00:02:07'],
    );
  });

  test('take the prefix of the file, and a name that is taken becomes another one', () => {
    const { instances, codes } = build(
      'global_defs {\n vmac_prefix vm\n}',
      `use_vmac; ${VIP}`,
      `use_vmac vm.7; ${VIP}`,
    );
    assert.deepEqual(names(instances), ['vm.7', 'vm4.7']);
    assert.equal(codes.filter((code) => code === 'W058').length, 1);
  });

  test('an address that names the interface itself stays there; use_vmac on a line makes a macvlan elsewhere', () => {
    const lines =
      'virtual_ipaddress {\n 10.0.0.1/24\n 10.0.0.2/24 dev eth0\n 10.1.0.1/24 dev eth5 use_vmac\n 10.1.0.2/24 dev eth5\n }';
    const [one] = build(`use_vmac; ${lines}`).instances;
    assert.deepEqual(
      one!.vips.map(({ device }) => device),
      ['vrrp.7', 'eth0', 'vrrp.7.eth5', 'eth5'],
    );
    assert.deepEqual(one!.addressInterfaces, [{ name: 'vrrp.7.eth5', base: 'eth5', mac: '00:00:5e:00:01:07' }]);
  });

  test('use_vmac_addr does that for every address elsewhere, and for those of the other family', () => {
    const lines = `${VIP}; virtual_ipaddress_excluded {\n fd00::1/64\n 10.1.0.1/24 dev eth5\n }`;
    const [one] = build(`use_vmac; use_vmac_addr; ${lines}`).instances;
    assert.deepEqual(
      one!.excludedVips.map(({ device }) => device),
      ['vrrp.7.eth0', 'vrrp.7.eth5'],
    );
    assert.deepEqual(
      one!.addressInterfaces!.map(({ mac }) => mac),
      ['00:00:5e:00:02:07', '00:00:5e:00:01:07'],
    );
  });

  test('names longer than the kernel takes give way to short ones', () => {
    const lines = 'virtual_ipaddress {\n 10.0.0.1/24 dev averylongname0 use_vmac\n }';
    const [one] = build(lines).instances;
    assert.equal(one!.vips[0]!.device, 'vrrp-1');
    assert.equal(one!.virtualInterface, undefined);
  });

  test('unicast adverts leave by the interface below', () => {
    const [one] = build(`use_vmac; unicast_peer {\n 10.0.0.9\n }; ${VIP}`).instances;
    assert.equal(one!.virtualInterface?.kind === 'macvlan' && one!.virtualInterface.sendBelow, true);
  });

  test('the link-local address of an IPv6 router is advertised first', () => {
    const list = (lines: string) => `virtual_ipaddress {\n ${lines}\n }`;
    const moved = build(list('fd00::1/64\n fe80::1/64'));
    assert.deepEqual(
      moved.instances[0]!.vips.map(({ address }) => address),
      ['fe80::1', 'fd00::1'],
    );
    assert.ok(moved.codes.includes('W044'));
    assert.ok(build(list('fd00::1/64')).codes.includes('I066'));
    const right = build(list('fe80::1/64\n fd00::1/64')).codes;
    assert.ok(!right.includes('W044') && !right.includes('I066'));
  });
});
