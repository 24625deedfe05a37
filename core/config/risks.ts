// What a configuration may do to its owner although every line of it is right. Only `check-config` asks: the agent runs
// such files. Pure; what this machine has is given.
import { familyOf, type IpAddress, ipBytes } from '../net/address.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';
import type { Place, Report } from './diagnostics.ts';
import type { BfdConfig, Configuration, InstanceConfig } from './model.ts';
import { blocksOf, linesOf, type Outline, placeIn, placeOfLine, startOf } from './outline.ts';
import type { Statement } from './parser.ts';
import { tracksOf } from './priorities.ts';

/** An interface of this machine with its addresses. */
export interface HostInterface {
  readonly name: string;
  readonly addresses: readonly { readonly address: IpAddress; readonly prefix: number }[];
}

/** Failures are noticed after `interval × fall`; from here on that is worth a word. */
const LATE = 30_000_000;

/** @param interfaces those of this machine; undefined: the file is for another one */
export function reportRisks(
  configuration: Configuration,
  outline: Outline,
  interfaces: readonly HostInterface[] | undefined,
  report: Report,
): void {
  reportScripts(configuration, outline, report);
  for (const instance of configuration.instances) {
    const block = blocksOf(outline, 'vrrp_instance', instance.name)[0];
    const at = { block, fallback: startOf(outline.file) };
    reportWeights(instance, configuration, at, report);
    reportTimes(instance, at, outline, report);
    if (interfaces) reportHost(instance, at, interfaces, report);
  }
  reportSharedAddresses(configuration, outline, report);
  for (const session of configuration.bfds ?? [])
    reportReach(session, blocksOf(outline, 'bfd_instance', session.name)[0], startOf(outline.file), report);
}

/** RFC 5881 §5: over one hop the TTL proves that a packet comes from the link; over several it can at least say how far. */
function reportReach(
  { name, multihop, ttl, maxHops }: BfdConfig,
  block: Statement | undefined,
  fallback: Place,
  report: Report,
): void {
  const least = maxHops < 0 ? 0 : ttl - maxHops;
  if (multihop && maxHops < 0)
    report.add(
      'W078',
      placeIn(block, ['max_hops', 'multihop'], fallback),
      `${name} believes packets from any distance`,
      {
        suggestion: 'write max_hops with the number of routers between the two ends',
      },
    );
  else if (!multihop && least < 255)
    report.add(
      'W078',
      placeIn(block, ['max_hops', 'ttl', 'hoplimit'], fallback),
      `${name} believes packets with a TTL down to ${Math.max(0, least)}, although its neighbor is on the link`,
      { limit: '255', suggestion: 'let both ends send with TTL 255, and leave max_hops out' },
    );
}

interface Spot {
  readonly block: Statement | undefined;
  readonly fallback: Place;
}

function reportScripts({ scripts, instances, groups }: Configuration, outline: Outline, report: Report): void {
  // As written, not as built: a tracker that was dropped has had its message.
  const owners = [...blocksOf(outline, 'vrrp_instance'), ...blocksOf(outline, 'vrrp_sync_group')];
  const tracked = new Set(
    linesOf(owners, 'track_script')
      .flatMap((list) => list.block ?? [])
      .map((line) => line.words[0]!.text),
  );
  const kept = new Set([...instances, ...groups].flatMap((owner) => owner.trackScripts.map(({ name }) => name)));
  for (const script of scripts) {
    const block = blocksOf(outline, 'vrrp_script', script.name)[0];
    if (!tracked.has(script.name)) {
      report.add('I080', placeIn(block, [], startOf(outline.file)), `nothing tracks ${script.name}: it is never run`, {
        value: script.name,
        suggestion: `write track_script { ${script.name} } into the instance that it is about`,
      });
      continue;
    }
    const late = script.interval * script.fall;
    if (kept.has(script.name) && late > LATE)
      report.add(
        'I081',
        placeIn(block, ['interval', 'fall'], startOf(outline.file)),
        `${script.name} notices a failure after up to ${inSeconds(late)}: interval ${inSeconds(script.interval)} × fall ${script.fall}`,
        { suggestion: 'most checks cost little: try interval 2 and fall 2' },
      );
  }
}

/** A backup with nopreempt does not care how far the master's priority falls. */
function reportWeights(instance: InstanceConfig, { groups }: Configuration, { block, fallback }: Spot, report: Report) {
  if (instance.preempt) return;
  const { files, others } = tracksOf(instance, groups);
  const weighted = others.filter(({ weight }) => weight !== 0);
  if (weighted.length > 0 && weighted.length === others.length && files.length === 0)
    report.add(
      'W074',
      placeIn(block, ['nopreempt'], fallback),
      `with nopreempt a failed check changes nothing: a backup leaves a living master alone, however low its priority falls`,
      { suggestion: `give ${weighted[0]!.name} weight 0 (failure is a fault), or remove nopreempt` },
    );
}

function reportTimes(instance: InstanceConfig, { block, fallback }: Spot, outline: Outline, report: Report): void {
  const { interval, downTimerAdverts, priority, announce } = instance;
  const down = downTimerAdverts * interval + ((256 - priority) * interval) / 256;
  if (down > LATE)
    report.add(
      'I082',
      placeIn(block, ['advert_int', 'down_timer_adverts'], fallback),
      `after the master dies ${instance.name} waits ${inSeconds(down)} before it takes over`,
      { suggestion: 'advert_int 1 is usual; vrrp_version 3 allows less' },
    );
  if (downTimerAdverts === 1)
    report.add(
      'I083',
      inBlockOrGlobal(['down_timer_adverts'], ['vrrp_down_timer_adverts'], block, fallback, outline),
      `${instance.name} takes over as soon as one advert is lost`,
      { value: '1', suggestion: 'use 2 or more; 3 is the default' },
    );
  if (instance.vips.length + instance.excludedVips.length === 0) return;
  if (announce.masterRepeat === 0)
    report.add(
      'W073',
      inBlockOrGlobal(['garp_master_repeat'], ['vrrp_garp_master_repeat'], block, fallback, outline),
      `${instance.name} sends no gratuitous ARP on becoming MASTER: neighbours go on sending to the old master`,
      { value: '0', suggestion: 'use 1 or more; 5 is the default' },
    );
  else if (announce.masterDelay === 0)
    report.add(
      'I084',
      inBlockOrGlobal(['garp_master_delay'], ['vrrp_garp_master_delay', 'vrrp_min_garp'], block, fallback, outline),
      `${instance.name} announces its addresses once on becoming MASTER, without a second burst`,
      { value: '0' },
    );
}

/** Where a setting of an instance was given: in it, else in global_defs. */
function inBlockOrGlobal(
  own: readonly string[],
  global: readonly string[],
  block: Statement | undefined,
  fallback: Place,
  outline: Outline,
): Place {
  const given = (one: Statement | undefined, keywords: readonly string[]) =>
    keywords.some((keyword) => linesOf([one], keyword).length > 0);
  if (given(block, own)) return placeIn(block, own, fallback);
  const globals = blocksOf(outline, 'global_defs').findLast((one) => given(one, global));
  return globals ? placeIn(globals, global, fallback) : placeIn(block, own, fallback);
}

/** Two instances that hold the same address on the same interface: whoever releases it last takes it from the other. */
function reportSharedAddresses({ instances }: Configuration, outline: Outline, report: Report): void {
  const holders = new Map<string, InstanceConfig>();
  for (const instance of instances)
    for (const { address, device } of [...instance.vips, ...instance.excludedVips]) {
      const key = `${address} ${device}`;
      const holder = holders.get(key);
      if (holder === undefined) holders.set(key, instance);
      else if (holder !== instance)
        report.add(
          'W075',
          placeOfVip(blocksOf(outline, 'vrrp_instance', instance.name)[0], address, startOf(outline.file)),
          `${address} is an address of ${holder.name}, too: when one of them gives it up the other loses it`,
          { value: address, suggestion: 'give each instance addresses of its own' },
        );
    }
}

export const placeOfVip = (block: Statement | undefined, address: string, fallback: Place): Place =>
  placeOfLine(
    block,
    ['virtual_ipaddress', 'virtual_ipaddress_excluded'],
    (word) => word.split('/')[0]!.toLowerCase() === address,
    fallback,
  );

function reportHost(
  instance: InstanceConfig,
  { block, fallback }: Spot,
  interfaces: readonly HostInterface[],
  report: Report,
): void {
  const names = interfaces.map(({ name }) => name);
  const missing = (name: string, place: Place, effect: string) => {
    const made = [instance.virtualInterface, ...(instance.addressInterfaces ?? [])].some((one) => one?.name === name);
    if (names.includes(name) || made) return;
    report.add('W070', place, `this machine has no interface ${name}: ${effect}`, {
      value: name,
      limit: names.join(' '),
      suggestion: `this machine has ${names.join(', ') || 'none'}`,
    });
  };
  missing(
    instance.interface,
    placeIn(block, ['interface'], fallback),
    `${instance.name} stays in FAULT until there is one`,
  );
  for (const { address, device } of [...instance.vips, ...instance.excludedVips])
    if (device !== instance.interface)
      missing(device, placeOfVip(block, address, fallback), `${address} cannot be set until there is one`);
  for (const { name } of instance.trackInterfaces)
    missing(
      name,
      placeOfLine(block, ['track_interface'], (word) => word === name, fallback),
      `for ${instance.name} it is down`,
    );
  for (const vip of instance.vips) reportSubnet(vip, { block, fallback }, interfaces, report);
  const { transport } = instance;
  const mine = new Set(interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  if (transport.source !== undefined && !mine.has(transport.source))
    report.add(
      'W076',
      placeIn(block, transport.mode === 'unicast' ? ['unicast_src_ip', 'mcast_src_ip'] : ['mcast_src_ip'], fallback),
      `this machine does not have the source address ${transport.source}`,
      {
        value: transport.source,
        suggestion: 'was the file copied from the other machine? Each half names its own address here',
      },
    );
  if (transport.mode === 'unicast')
    for (const { address } of transport.peers)
      if (mine.has(address))
        report.add(
          'W077',
          placeOfLine(block, ['unicast_peer'], (word) => word.toLowerCase() === address, fallback),
          `the peer ${address} is this machine itself`,
          { value: address, suggestion: 'list the addresses of the other machines only' },
        );
}

/** An address that no network of its interface contains answers ARP, but nobody on that network asks for it directly. */
function reportSubnet(vip: VirtualIp, { block, fallback }: Spot, interfaces: readonly HostInterface[], report: Report) {
  const nets = interfaces
    .find(({ name }) => name === vip.device)
    ?.addresses.filter(({ address }) => address !== vip.address && familyOf(address) === familyOf(vip.address));
  const local = familyOf(vip.address) === 6 && vip.address.startsWith('fe80:');
  if (nets === undefined || nets.length === 0 || local) return;
  if (nets.some(({ address, prefix }) => sameNetwork(address, vip.address, prefix))) return;
  report.add(
    'W072',
    placeOfVip(block, vip.address, fallback),
    `${vip.address} is in no network of ${vip.device} (${nets.map(({ address, prefix }) => `${address}/${prefix}`).join(', ')})`,
    { value: vip.address, suggestion: 'neighbours reach it only if their routes say so' },
  );
}

function sameNetwork(a: IpAddress, b: IpAddress, prefix: number): boolean {
  const [x, y] = [ipBytes(a), ipBytes(b)];
  return x.every((byte, i) => {
    const mask = 0xff & ~(0xff >> Math.min(8, Math.max(0, prefix - 8 * i)));
    return (byte & mask) === (y[i]! & mask);
  });
}

const inSeconds = (n: number): string => `${Number((n / 1_000_000).toFixed(2))} s`;
