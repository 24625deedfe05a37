// The two halves of a pair side by side: what must be the same and is not, what must differ and does not, and priorities
// that no failure can ever cross. Passwords are compared and never shown. Pure.
import { authenticationDiffers } from './against-authentication.ts';
import type { Place, Report } from './diagnostics.ts';
import type { Configuration, InstanceConfig, Transport } from './model.ts';
import { blocksOf, linesOf, type Outline, placeIn, placeOfLine, startOf } from './outline.ts';
import type { Statement } from './parser.ts';
import { type PriorityRange, priorityRange, withOneFailed } from './priorities.ts';
import { placeOfVip } from './risks.ts';

/** One machine's file, read. */
export interface Half {
  readonly configuration: Configuration;
  readonly outline: Outline;
}

interface Pair {
  readonly mine: InstanceConfig;
  readonly theirs: InstanceConfig;
  readonly block: Statement | undefined;
  readonly theirBlock: Statement | undefined;
  /** The file of the other half. */
  readonly peer: string;
  at(...keywords: readonly string[]): Place;
  readonly report: Report;
}

/** Reports at places of `mine`; what only the other file has is reported at the start of this one. */
export function compareHalves(mine: Half, theirs: Half, report: Report): void {
  const peer = theirs.outline.file;
  const start = startOf(mine.outline.file);
  const matched = new Set<InstanceConfig>();
  const names = new Map<string, string>();
  const counterpart = finder(theirs.configuration.instances);
  for (const instance of mine.configuration.instances) {
    const block = blocksOf(mine.outline, 'vrrp_instance', instance.name)[0];
    const other = counterpart(instance, matched);
    if (other === undefined) {
      report.add(
        'W100',
        placeIn(block, ['virtual_router_id'], start),
        `${peer} has no virtual router ${instance.vrid} for IPv${instance.family}: nobody takes over from ${instance.name}`,
        { value: `${instance.vrid}` },
      );
      continue;
    }
    matched.add(other);
    names.set(instance.name, other.name);
    const pair: Pair = {
      mine: instance,
      theirs: other,
      block,
      theirBlock: blocksOf(theirs.outline, 'vrrp_instance', other.name)[0],
      peer,
      at: (...keywords) => placeIn(block, keywords, start),
      report,
    };
    comparePacket(pair);
    compareAddresses(pair);
    compareTransport(pair);
    comparePriorities(pair, mine.configuration, theirs.configuration);
  }
  for (const other of theirs.configuration.instances)
    if (!matched.has(other))
      report.add(
        'W100',
        start,
        `${peer} has the virtual router ${other.vrid} (${other.name}) for IPv${other.family}, which this file lacks`,
        { value: `${other.vrid}` },
      );
  compareGroups(mine, theirs, names, report);
}

/** The other half's instances by everything that they may be found by. */
function finder(others: readonly InstanceConfig[]) {
  const index = new Map<string, InstanceConfig[]>();
  for (const other of others)
    for (const key of keysOf(other)) {
      const list = index.get(key);
      if (list) list.push(other);
      else index.set(key, [other]);
    }
  /** The same virtual router; failing that one that was meant to be: the same name, or an address in common. */
  return (one: InstanceConfig, taken: ReadonlySet<InstanceConfig>): InstanceConfig | undefined => {
    const [vrid, name, ...addresses] = keysOf(one).map((key) =>
      (index.get(key) ?? []).filter((other) => !taken.has(other)),
    );
    const sharing = addresses.flat();
    return (
      vrid!.find((other) => other.name === one.name) ??
      vrid!.find((other) => sharing.includes(other)) ??
      vrid![0] ??
      name![0] ??
      sharing[0]
    );
  };
}

const keysOf = ({ family, vrid, name, vips }: InstanceConfig): readonly string[] => [
  `vrid ${family} ${vrid}`,
  `name ${family} ${name}`,
  ...vips.map(({ address }) => `address ${address}`),
];

/** What is in every advert: a peer drops those that differ. */
function comparePacket({ mine, theirs, peer, at, report }: Pair): void {
  const name = mine.name;
  if (mine.vrid !== theirs.vrid)
    report.add(
      'W101',
      at('virtual_router_id'),
      `${name} has virtual_router_id ${mine.vrid}, but ${theirs.name} in ${peer} has ${theirs.vrid}: both become MASTER`,
      { value: `${mine.vrid}`, limit: `${theirs.vrid}`, suggestion: 'use the same number on all machines' },
    );
  if (mine.version !== theirs.version)
    report.add(
      'W102',
      at('version'),
      `${name} speaks VRRP version ${mine.version}, ${peer} version ${theirs.version}: they do not hear each other`,
      { value: `${mine.version}`, limit: `${theirs.version}`, suggestion: 'set the same vrrp_version on all machines' },
    );
  if (mine.interval !== theirs.interval)
    report.add(
      'W103',
      at('advert_int'),
      `${name} has advert_int ${mine.interval / 1_000_000}, ${peer} ${theirs.interval / 1_000_000}: ${
        mine.version === 2 ? 'version 2 drops such adverts' : 'the time to take over depends on who is MASTER'
      }`,
      { value: `${mine.interval / 1_000_000}`, limit: `${theirs.interval / 1_000_000}` },
    );
  const plain = (one: InstanceConfig) =>
    one.version === 3 && one.family === 4 && one.checksumWithoutPseudoHeader === true;
  if (plain(mine) !== plain(theirs) && mine.version === theirs.version)
    report.add(
      'W114',
      at('v3_checksum_as_v2', 'version'),
      `${name} and ${peer} disagree about v3_checksum_as_v2: keepalived takes the other’s adverts for damaged`,
    );
  const differs = authenticationDiffers(mine, theirs);
  if (differs !== undefined)
    report.add(
      'W104',
      at('authentication', 'auth_hmac'),
      `${name} ${differs} ${peer}: they refuse each other’s adverts`,
    );
}

function compareAddresses({ mine, theirs, block, peer, at, report }: Pair): void {
  for (const [list, keyword, effect] of [
    ['vips', 'virtual_ipaddress', 'keepalived drops adverts whose list differs'],
    ['excludedVips', 'virtual_ipaddress_excluded', 'it does not move with the others'],
  ] as const) {
    const ours = new Map(mine[list].map((vip) => [vip.address, vip]));
    const others = new Map(theirs[list].map((vip) => [vip.address, vip]));
    for (const [address, vip] of ours) {
      const other = others.get(address);
      if (other === undefined)
        report.add(
          'W105',
          placeOfVip(block, address, at(keyword)),
          `${address} is not in ${keyword} of ${theirs.name} in ${peer}: ${effect}`,
          { value: address },
        );
      else if (other.prefix !== vip.prefix)
        report.add(
          'W105',
          placeOfVip(block, address, at(keyword)),
          `${address} has prefix length ${vip.prefix} here and ${other.prefix} in ${peer}: routes change with the master`,
          { value: `${vip.prefix}`, limit: `${other.prefix}` },
        );
    }
    const missing = [...others.keys()].filter((address) => !ours.has(address));
    if (missing.length > 0)
      report.add('W105', at(keyword), `${keyword} of ${mine.name} lacks ${missing.join(', ')} of ${peer}: ${effect}`, {
        value: missing.join(' '),
      });
  }
}

function compareTransport(pair: Pair): void {
  const { mine, theirs, peer, at, report } = pair;
  const [a, b] = [mine.transport, theirs.transport];
  if (a.mode === 'multicast' && b.mode === 'multicast') {
    if (a.group !== b.group)
      report.add(
        'W110',
        at('mcast_dst_ip'),
        `${mine.name} sends to ${a.group}, ${peer} to ${b.group}: they do not hear each other`,
        { value: a.group, limit: b.group },
      );
  } else if (a.mode === 'unicast' && b.mode === 'unicast') compareUnicast(pair, a, b);
  else
    report.add(
      'W108',
      at('unicast_peer', 'interface'),
      `${mine.name} uses ${a.mode}, ${peer} ${b.mode}: they do not hear each other`,
      { value: a.mode, limit: b.mode },
    );
}

type Unicast = Extract<Transport, { mode: 'unicast' }>;

function compareUnicast({ mine, theirs, block, peer, at, report }: Pair, a: Unicast, b: Unicast): void {
  // What a name means cannot be told from the files.
  const lists = ({ peers, names }: Unicast, address: string | undefined) =>
    names !== undefined || peers.some((one) => one.address === address);
  if (a.source !== undefined && a.source === b.source)
    report.add('W109', at('unicast_src_ip'), `both machines send from ${a.source}`, {
      value: a.source,
      suggestion: 'unicast_src_ip is each machine’s own address',
    });
  else {
    if (a.source !== undefined && !lists(b, a.source))
      report.add(
        'W109',
        at('unicast_src_ip'),
        `${mine.name} sends from ${a.source}, which is no unicast_peer of ${theirs.name} in ${peer}: its adverts are refused`,
        { value: a.source, limit: b.peers.map(({ address }) => address).join(' ') },
      );
    if (b.source !== undefined && !lists(a, b.source))
      report.add(
        'W109',
        placeOfLine(block, ['unicast_peer'], () => true, at('unicast_peer')),
        `${theirs.name} in ${peer} sends from ${b.source}, which is no unicast_peer of ${mine.name}: its adverts are refused`,
        { value: b.source, limit: a.peers.map(({ address }) => address).join(' ') },
      );
  }
  if (a.source === undefined || b.source === undefined)
    report.add(
      'I101',
      at('unicast_src_ip', 'unicast_peer'),
      `${a.source === undefined ? mine.name : peer} does not say unicast_src_ip: whether the peers know its address cannot be told from the files`,
      { suggestion: 'write unicast_src_ip with the address that the peers list' },
    );
}

function comparePriorities(pair: Pair, mine: Configuration, theirs: Configuration): void {
  const { at, report, peer } = pair;
  const here = priorityRange(pair.mine, mine.groups);
  const there = priorityRange(pair.theirs, theirs.groups);
  const both = [pair.block, pair.theirBlock];
  const has = (keyword: string, value?: string) =>
    both.every((block) =>
      linesOf([block], keyword).some(({ words }) => value === undefined || words[1]?.text === value),
    );
  if (has('nopreempt') && has('state', 'MASTER'))
    report.add(
      'W111',
      at('nopreempt'),
      `both machines start as MASTER with nopreempt: it is ignored on both, and the higher priority takes over again`,
      { suggestion: 'write state BACKUP with nopreempt on both' },
    );
  if (here.base === 255 && there.base === 255) {
    report.add(
      'W113',
      at('priority'),
      `${pair.mine.name} has priority 255 on both machines: both claim the addresses`,
      {
        value: '255',
        suggestion: 'use 254 or less on at least one',
      },
    );
    return;
  }
  if (here.base === there.base)
    report.add(
      'W106',
      at('priority'),
      `${pair.mine.name} has priority ${here.base} on both machines: the higher address decides, after both were MASTER for a moment`,
      { value: `${here.base}`, suggestion: 'give each machine a priority of its own' },
    );
  const name = pair.mine.name;
  if (here.healthy >= there.healthy) crossing(name, here, there, 'this machine', peer, at, report);
  else crossing(name, there, here, peer, 'this machine', at, report);
}

/** Whether failures of the stronger machine ever bring it below the weaker one while that one is healthy. */
function crossing(
  name: string,
  strong: PriorityRange,
  weak: PriorityRange,
  strongName: string,
  weakName: string,
  at: Pair['at'],
  report: Report,
): void {
  if (strong.weighted.length === 0) return;
  const place = at('track_script', 'track_interface', 'track_file', 'track_process', 'track_bfd', 'priority');
  const names = strong.weighted.map(({ name, weight }) => `${name} ${weight > 0 ? '+' : ''}${weight}`).join(', ');
  if (strong.lowest >= weak.healthy)
    report.add(
      'W107',
      place,
      `${names} can never move the addresses of ${name}: ${strongName} falls from ${strong.healthy} to ${strong.lowest} at worst, ${weakName} has ${weak.healthy}`,
      {
        value: `${strong.lowest}`,
        limit: `below ${weak.healthy}`,
        suggestion: `a weight must be larger than the gap of ${strong.healthy - weak.healthy} between the priorities`,
      },
    );
  else if (
    !strong.anywhere &&
    strong.weighted.length > 1 &&
    strong.weighted.every((one) => withOneFailed(strong, one) >= weak.healthy)
  )
    report.add(
      'I100',
      place,
      `only several failures together move ${name} from ${strongName} (${strong.healthy}) to ${weakName} (${weak.healthy}): ${names}`,
    );
}

/** An instance that is in a group on one machine only drags others with it there and not here; told once a group. */
function compareGroups(mine: Half, theirs: Half, names: ReadonlyMap<string, string>, report: Report): void {
  const groupOf = ({ configuration }: Half, name: string) =>
    configuration.groups.find(({ members }) => members.includes(name));
  const told = new Set<string>();
  for (const [name, otherName] of names) {
    const here = groupOf(mine, name);
    const there = groupOf(theirs, otherName);
    const translated = here?.members.map((member) => names.get(member) ?? member).toSorted();
    if (JSON.stringify(translated) === JSON.stringify(there?.members.toSorted())) continue;
    const key = JSON.stringify([here?.name, there?.name]);
    if (told.has(key)) continue;
    told.add(key);
    const say = (group: typeof here) =>
      group === undefined ? 'in no sync group' : `with ${group.members.join(', ')} in sync group ${group.name}`;
    const block = blocksOf(mine.outline, 'vrrp_instance', name)[0];
    report.add(
      'W112',
      placeIn(block, [], startOf(mine.outline.file)),
      `${name} is ${say(here)} here and ${say(there)} in ${theirs.outline.file}`,
    );
  }
}
