// What is simulated, as plain data made from a seed: networks, routers, faults and when they come. The same seed makes
// the same scenario; a scenario with some faults taken out runs as well, so that a failing one can be made small.
import type { InstanceConfig } from '../../core/config/model.ts';
import { type IpAddress, ip } from '../../core/net/address.ts';
import { micros, millis, priority, seconds, vrid } from '../../core/units.ts';
import type { VirtualIp } from '../../core/vip/virtual-ip.ts';
import { instance } from '../engine/instances.ts';
import { type Random, randomFrom } from '../support/simulated-chance.ts';
import { drawFaults, type Fault } from './faults.ts';

/** How adverts prove where they come from: v2 PASS and AH; v3 signatures that are enforced, by the clock or by a count. */
export type Protection = 'none' | 'PASS' | 'AH' | 'hmac-time' | 'hmac-monotonic';

/** One virtual router as all machines have it. */
export interface Slot {
  readonly vrid: number;
  /** Which network, 0 or 1. */
  readonly network: number;
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly unicast: boolean;
  readonly protection: Protection;
  /** Microseconds. */
  readonly interval: number;
  readonly adverts: number;
  readonly vips: readonly IpAddress[];
}

/** What one machine's configuration says of a slot that others may have otherwise. */
export interface Seat {
  readonly priority: number;
  readonly preempt: boolean;
  /** Microseconds. */
  readonly preemptDelay: number;
  /** Microseconds; in v3 it may differ from the others'. */
  readonly interval: number;
}

/** A clean loss of the master in a network that is otherwise well. */
export type Round = 'crash' | 'stop' | 'fault' | 'carrier' | 'stall' | 'weaken';

export interface Scenario {
  readonly seed: number;
  readonly networks: number;
  /** Microseconds from port to port, for each network. */
  readonly delays: readonly number[];
  /** How late processes may run, in microseconds. */
  readonly lateness: number;
  readonly clients: number;
  readonly slots: readonly Slot[];
  /** By machine, then by slot. */
  readonly seats: readonly (readonly Seat[])[];
  /** All slots are one sync group. */
  readonly grouped: boolean;
  /** When each machine starts, in microseconds. */
  readonly boot: readonly number[];
  readonly faults: readonly Fault[];
  /** Everything is well again, in microseconds. */
  readonly healAt: number;
  readonly rounds: readonly Round[];
}

/** keepalived's times, but fewer repetitions: each costs every machine some work, and none is lost in peace. */
const ANNOUNCE: InstanceConfig['announce'] = {
  masterDelay: seconds(5),
  masterRepeat: 2,
  refresh: millis(0),
  refreshRepeat: 1,
  lowerPrioDelay: seconds(5),
  lowerPrioRepeat: 2,
};
export const PASSWORD = 'secret';
const ROUNDS: readonly Round[] = ['crash', 'stop', 'stop', 'fault', 'carrier', 'stall', 'weaken', 'weaken'];
const INTERVALS_MS = [10, 10, 20, 50, 100, 100, 250, 500, 1000, 1000];

export function scenarioOf(seed: number): Scenario {
  const random = randomFrom(seed);
  const unit = millis(random.pick(INTERVALS_MS));
  const machines = random.pick([3, 3, 3, 4, 4, 5, 6, 7]);
  const networks = random.chance(0.4) ? 2 : 1;
  const count = machines > 5 ? 1 + random.below(2) : 1 + random.below(3);
  const grouped = count > 1 && random.chance(0.5);
  const slots = Array.from({ length: count }, (_, i) => drawSlot(random, i, networks, unit));
  const equal = random.chance(0.2);
  const mixed = random.chance(0.2) && slots.every(({ version }) => version === 3);
  const nopreempt = random.chance(0.25);
  const delayed = random.chance(0.2);
  const seats = Array.from({ length: machines }, (_, machine) => {
    const whole = drawSeat(random, { machine, equal, nopreempt, delayed, unit });
    const factor = mixed ? random.pick([1, 1, 2, 3]) : 1;
    return slots.map(({ interval }) => {
      const seat = grouped ? whole : drawSeat(random, { machine, equal, nopreempt, delayed, unit });
      return { ...seat, interval: interval * factor };
    });
  });
  if (random.chance(0.06) && !equal) for (const seat of seats[0]!) Object.assign(seat, { priority: 255 });
  const longest = Math.max(...seats.flat().map(({ interval }) => interval));
  const delays = Array.from({ length: networks }, () => random.range(20, Math.min(2_000, unit / 8)));
  const calm = random.chance(0.15);
  const begin = 8 * longest;
  const healAt = begin + (calm ? 10 : 30) * longest;
  const shape = { machines, networks, clients: 2, slots, unit: longest, begin, end: healAt };
  return {
    seed,
    networks,
    delays,
    lateness: calm ? 0 : random.pick([0, 50, 300, 800]),
    clients: shape.clients,
    slots,
    seats,
    grouped,
    boot: seats.map(() => random.range(0, 3 * longest)),
    faults: drawFaults(random, shape, calm),
    healAt,
    rounds: Array.from({ length: 1 + random.below(2) }, () => random.pick(ROUNDS)),
  };
}

function drawSlot(random: Random, i: number, networks: number, unit: number): Slot {
  const version = unit === seconds(1) && random.chance(0.4) ? 2 : 3;
  const family = version === 3 && random.chance(0.3) ? 6 : 4;
  const network = i % networks;
  const count = random.pick([1, 1, 1, 2, 3]);
  return {
    vrid: 51 + i,
    network,
    family,
    version,
    unicast: random.chance(0.3),
    protection: drawProtection(random, version),
    interval: version === 2 ? seconds(1) : unit * random.pick([1, 1, 1, 2]),
    adverts: random.chance(0.15) ? 2 + random.below(4) : 3,
    vips: Array.from({ length: count }, (_, n) => vipAddress(network, family, i, n)),
  };
}

function drawProtection(random: Random, version: 2 | 3): Protection {
  if (version === 2) return random.pick(['none', 'PASS', 'PASS', 'AH']);
  return random.pick(['none', 'none', 'none', 'none', 'none', 'none', 'none', 'hmac-time', 'hmac-monotonic']);
}

interface SeatShape {
  readonly machine: number;
  readonly equal: boolean;
  readonly nopreempt: boolean;
  readonly delayed: boolean;
  readonly unit: number;
}

function drawSeat(random: Random, { machine, equal, nopreempt, delayed, unit }: SeatShape): Seat {
  return {
    priority: equal ? 100 : random.chance(0.3) ? 100 + machine : 1 + random.below(254),
    preempt: !nopreempt,
    preemptDelay: delayed && !nopreempt && random.chance(0.5) ? Math.round(random.range(unit, 8 * unit)) : 0,
    interval: unit,
  };
}

/** The n-th virtual address of a slot. */
export const vipAddress = (network: number, family: 4 | 6, slot: number, n: number): IpAddress =>
  ip(family === 4 ? `10.${network}.${100 + slot}.${1 + n}` : `2001:db8:${network}:${100 + slot}::${1 + n}`);

/** A machine's own addresses on a network. */
export function ownAddress(network: number, machine: number): OwnAddresses {
  const key = network * MOST_MACHINES + machine;
  const known = OWN[key];
  if (known !== undefined) return known;
  const own = {
    4: ip(`10.${network}.0.${1 + machine}`),
    6: ip(`2001:db8:${network}::${1 + machine}`),
    local: ip(`fe80::${1 + network}:${1 + machine}`),
  };
  OWN[key] = own;
  return own;
}

interface OwnAddresses {
  readonly 4: IpAddress;
  readonly 6: IpAddress;
  /** Link-local. */
  readonly local: IpAddress;
}

const MOST_MACHINES = 16;
const OWN: OwnAddresses[] = [];

export const instanceName = (slot: number): string => `VI_${slot + 1}`;

/** What a machine's file says of a slot. */
export function instanceOf(scenario: Scenario, machine: number, slot: number, changes: Changes = {}): InstanceConfig {
  const { network, family, version, unicast, protection, adverts, vips, ...each } = scenario.slots[slot]!;
  const seat = { ...scenario.seats[machine]![slot]!, ...changes };
  const own = ownAddress(network, machine);
  const peers = scenario.seats.flatMap((_, other) =>
    other === machine ? [] : [{ address: ownAddress(network, other)[family], minTtl: 0, maxTtl: 255 }],
  );
  const addresses = [...vips, ...(changes.more ?? [])];
  return instance({
    name: instanceName(slot),
    interface: `eth${network}`,
    family,
    vrid: vrid(each.vrid),
    version,
    priority: priority(seat.priority),
    interval: micros(seat.interval),
    preempt: seat.preempt,
    preemptDelay: micros(seat.preemptDelay),
    downTimerAdverts: adverts,
    transport: unicast
      ? { mode: 'unicast', source: own[family], peers, ttl: 255 }
      : { mode: 'multicast', group: ip(family === 4 ? '224.0.0.18' : 'ff02::12'), source: undefined },
    authentication:
      protection === 'PASS' || protection === 'AH' ? { type: protection, password: PASSWORD } : { type: 'none' },
    ...(protection.startsWith('hmac') && { hmac: signed(protection === 'hmac-time' ? 'time' : 'monotonic') }),
    announce: ANNOUNCE,
    vips: addresses.map(
      (address): VirtualIp => ({ address, prefix: family === 4 ? 32 : 128, device: `eth${network}`, scope: 0 }),
    ),
  });
}

const signed = (antiReplay: 'time' | 'monotonic'): NonNullable<InstanceConfig['hmac']> => ({
  keys: [{ id: 1, secret: 'a key of thirty-two bytes or more' }],
  activeKey: undefined,
  antiReplay,
  timeWindow: 5,
  mode: 'enforce',
});

/** What a reload may change. */
export interface Changes {
  readonly priority?: number;
  readonly preempt?: boolean;
  /** Further virtual addresses. */
  readonly more?: readonly IpAddress[];
}
