// What must hold, each under its name: functions of what is seen that return what is wrong, or nothing. They are asked
// at every event, after every turn of a machine, and at every transition.
import type { SimulatedMachine } from '../support/simulated-machine.ts';
import { LONGEST_ANNOUNCE_GAP } from './bounds.ts';
import { priorityIn, type SlotView, type Transition, type View } from './view.ts';

type Wrong = string | undefined;

/** Of a slot, at every event. */
export type SlotInvariant = (view: View, slot: SlotView) => Wrong;
/** Of a machine, after its turn. */
export type TurnInvariant = (view: View, machine: SimulatedMachine) => Wrong;
/** Of a transition, when it is told. */
export type TransitionInvariant = (view: View, machine: SimulatedMachine, transition: Transition) => Wrong;

const letters = (machines: readonly number[]): string => machines.map((n) => String.fromCharCode(97 + n)).join(' and ');
const ms = (micros: number): string => `${(micros / 1_000).toFixed(3)} ms`;

export const SLOT_INVARIANTS: Readonly<Record<string, SlotInvariant>> = {
  /** I1: two masters that hear each other are two for an interval and the delays. */
  'one master soon after a heal': (view, { masters, dualSince, bounds }) => {
    if (dualSince === undefined) return undefined;
    const lasted = Math.min(view.world.now - dualSince, view.quiet);
    return lasted > bounds.dual ? `${letters(masters)} are masters for ${ms(lasted)} of peace` : undefined;
  },

  /** I2: where somebody can be master, somebody is, after the longest down timer. */
  'a master within the down timer': (view, { index, noneSince, bounds }) => {
    if (noneSince === undefined) return undefined;
    const lasted = Math.min(view.world.now - noneSince, view.quiet);
    if (lasted <= bounds.down) return undefined;
    for (const [machine, parts] of view.parts.entries()) {
      if (!view.isEligible(machine, index)) continue;
      const listens = view.world.now - Math.max(...parts.map(({ listeningSince }) => listeningSince));
      if (listens > bounds.down) return `nobody is master for ${ms(lasted)}, though ${letters([machine])} could be`;
    }
    return undefined;
  },

  /** I6: who says goodbye is replaced after the skew alone. */
  'a goodbye is followed by a successor after the skew': (view, slot) => {
    const { successor, masters } = slot;
    if (successor === undefined) return undefined;
    if (masters.some((machine) => machine !== successor.leaving)) slot.successor = undefined;
    else if (view.world.now > successor.until)
      return `nobody followed ${letters([successor.leaving])} after ${ms(view.world.now - view.world.quietSince)}`;
    return undefined;
  },

  /** A better router that preempts does not stay below a worse master. */
  'the best one is master': (view, { index, masters, soleSince, bounds }) => {
    const [master] = masters;
    if (master === undefined || soleSince === undefined) return undefined;
    if (Math.min(view.world.now - soleSince, view.quiet) <= bounds.preempt) return undefined;
    const { priority } = view.parts[master]![index]!;
    for (const [machine, parts] of view.parts.entries()) {
      const part = parts[index]!;
      if (part.state !== 'BACKUP' || part.priority <= priority || !view.isEligible(machine, index)) continue;
      if (!view.world.scenario.seats[machine]![index]!.preempt) continue;
      if (view.world.now - Math.max(...parts.map(({ listeningSince }) => listeningSince)) <= bounds.preempt) continue;
      return `${letters([machine])} (${part.priority}) stays below the master ${letters([master])} (${priority})`;
    }
    return undefined;
  },

  /** I3 from outside: two living machines hold an address no longer than two are masters. */
  'one holder soon after a heal': (view, { index, bounds, masters }) => {
    if (view.quiet <= bounds.dual || masters.length !== 1) return undefined;
    const [vip] = view.world.scenario.slots[index]!.vips;
    for (const machine of view.world.machines) {
      if (!machine.running || machine.index === masters[0] || !machine.kernel.has(vip!)) continue;
      const { state, since } = view.parts[machine.index]![index]!;
      if (state === 'MASTER' || view.world.now - since <= bounds.dual || isExcused(view, machine)) continue;
      if (state === 'LEAVING' && view.world.now - view.slots[index]!.soleSince! <= bounds.dual) continue;
      return `${machine.name} holds ${vip} in ${state} while ${letters(masters)} is master`;
    }
    return undefined;
  },

  /** A dead process's addresses end with their lifetimes. */
  'no address outlives its process': (view, { index, bounds }) => {
    const [vip] = view.world.scenario.slots[index]!.vips;
    for (const { running, index: machine, name, kernel } of view.world.machines)
      if (!running && view.world.now - view.killedAt[machine]! > bounds.zombie && kernel.has(vip!))
        return `the dead ${name} still holds ${vip}`;
    return undefined;
  },

  /** I5: the last announcement of an address is its master's. */
  'the last announcement is the winner’s': (view, slot) => {
    const master = settledMaster(view, slot);
    if (master === undefined) return undefined;
    for (const [vip, machine] of slot.announcedBy)
      if (machine !== master && hasHeard(slot, master, machine))
        return `${letters([machine])} announced ${vip} last, ${letters([master])} is master`;
    return undefined;
  },

  /** I5: clients that heard it send to the master. */
  'clients reach the master': (view, slot) => {
    const master = settledMaster(view, slot);
    if (master === undefined || view.excusedUntil[master]! > view.world.now) return undefined;
    // What was announced a moment ago is still on its way.
    if (view.world.now - slot.announcedAt[master]! <= slot.bounds.hop) return undefined;
    const { vips, network } = view.world.scenario.slots[slot.index]!;
    for (const client of view.world.clients[network]!)
      for (const vip of vips) {
        const mac = client.send(vip);
        const taker = mac === undefined ? undefined : view.world.machineOf(mac)?.index;
        if (taker === master || !client.isInformed(vip)) continue;
        const last = slot.announcedBy.get(vip);
        if (last !== undefined && last !== master && !hasHeard(slot, master, last)) continue;
        // A machine that died in the moment it was replaced answers until its lifetime ends.
        if (taker !== undefined && !view.world.machines[taker]!.running) continue;
        return `${client.name} reaches ${taker === undefined ? 'nobody' : letters([taker])} at ${vip}, ${letters([master])} is master`;
      }
    return undefined;
  },
};

/** The only master, once everybody had the time to hear so. */
function settledMaster(view: View, { masters, soleSince, dualEnded, bounds }: SlotView): number | undefined {
  if (masters.length !== 1 || soleSince === undefined) return undefined;
  const recent = view.world.now - dualEnded < 4 * LONGEST_ANNOUNCE_GAP;
  const patience = 3 * bounds.hop + (recent ? LONGEST_ANNOUNCE_GAP + 2 * bounds.dual : 0);
  return Math.min(view.world.now - soleSince, view.quiet) > patience ? masters[0] : undefined;
}

const isJittery = (view: View): boolean => view.world.scenario.faults.some(({ type }) => type === 'jitter');

/** Whether a master could know that another one had announced its addresses: it heard it after that. */
const hasHeard = (slot: SlotView, master: number, other: number): boolean =>
  slot.rivalHeard[master]![other]! >= slot.announcedAt[other]!;

const isExcused = (view: View, machine: SimulatedMachine): boolean =>
  view.excusedUntil[machine.index]! > view.world.now;

/** Lines of the log for each router of a machine within a minute, whatever the network says and however often it restarts. */
const MOST_LINES = 40;

export const TURN_INVARIANTS: Readonly<Record<string, TurnInvariant>> = {
  /** I12: nothing that happens fills the log. */
  'the log is bounded': (view, machine) => {
    const lines = view.lines[machine.index]!.length;
    const most = MOST_LINES * view.world.scenario.slots.length;
    return lines > most ? `${machine.name} wrote ${lines} lines within a minute` : undefined;
  },

  /** I3: the kernel holds the addresses of MASTER and LEAVING and no others. */
  'addresses are held by masters alone': (view, machine) => {
    if (isExcused(view, machine) || !machine.running) return undefined;
    for (const [slot, { state }] of view.parts[machine.index]!.entries())
      for (const address of view.world.addressesOf(machine.index, slot)) {
        const held = machine.kernel.has(address);
        if (held !== (state === 'MASTER' || state === 'LEAVING'))
          return `${machine.name} is ${state} and ${held ? 'holds' : 'does not hold'} ${address}`;
      }
    return undefined;
  },

  /** I7: the members of a sync group are MASTER together or not at all. */
  'a sync group is whole': (view, machine) => {
    if (!view.world.scenario.grouped) return undefined;
    const parts = view.parts[machine.index]!.filter(({ state }) => state !== 'LEAVING' && state !== 'INIT');
    const masters = parts.filter(({ state }) => state === 'MASTER').length;
    if (masters === 0 || masters === parts.length) return undefined;
    return `${machine.name} is ${view.parts[machine.index]!.map(({ state }) => state).join(', ')}`;
  },

  /** What is told of a group follows from what its members do. */
  'a group moves with its members': (view, machine) => {
    if (view.groupTransitions === 0 || view.transitions > 0) return undefined;
    return `${machine.name} tells ${view.groupTransitions} transitions of the group, though no member moved`;
  },

  /** I5: adverts come from masters, or from those who were master when their turn began. */
  'only masters speak': (view, machine) => {
    for (const { network, message } of view.outgoing) {
      const slot = view.slotOf(network, message);
      if (slot === undefined || message.kind !== 'packet' || priorityIn(message.bytes) === 0) continue;
      const { state, since } = view.parts[machine.index]![slot]!;
      if (state !== 'MASTER' && since !== view.world.now) return `${machine.name} advertises as ${state}`;
    }
    return undefined;
  },

  /** I13: in peace a master's adverts keep to the schedule of the first; each may be late, but no lateness adds up. */
  'adverts keep their schedule': (view, machine) => {
    const { lateness, seats } = view.world.scenario;
    for (const { network, message } of view.outgoing) {
      const index = view.slotOf(network, message);
      if (index === undefined) continue;
      const slot = view.slots[index]!;
      if (view.quiet <= slot.bounds.settled) {
        slot.cadence = undefined;
        continue;
      }
      const { now } = view.world;
      if (slot.cadence?.master !== machine.index) slot.cadence = { master: machine.index, first: now };
      const { interval } = seats[machine.index]![index]!;
      const past = (now - slot.cadence.first) / interval;
      const off = Math.abs(past - Math.round(past)) * interval;
      if (off > lateness + 2) return `${machine.name} advertises ${ms(off)} beside its schedule`;
    }
    return undefined;
  },

  /** I5: nobody announces what it does not hold. */
  'only holders announce': (view, machine) => {
    for (const { message } of view.outgoing)
      if (message.kind === 'frame' && message.announces !== undefined && !machine.kernel.has(message.announces))
        if (!isExcused(view, machine)) return `${machine.name} announces ${message.announces} without having it`;
    return undefined;
  },
};

export const TRANSITION_INVARIANTS: Readonly<Record<string, TransitionInvariant>> = {
  /** I4: nobody takes over for want of adverts who has heard one within the time that the missed ones take. */
  'no takeover before enough adverts are lost': (view, machine, { instance, from, to, why }) => {
    if (from !== 'BACKUP' || to !== 'MASTER' || (why !== 'master-timeout' && why !== 'sync-group')) return undefined;
    const slot = view.slotNamed(instance);
    // What is refused as a replay keeps nobody in BACKUP: AH counts for all routers together, signatures go stale.
    const { protection } = view.world.scenario.slots[slot]!;
    if (protection === 'AH' || (protection === 'hmac-time' && isJittery(view))) return undefined;
    const { heededAt, goodbyeAt, worseAt } = view.parts[machine.index]![slot]!;
    const silence = view.world.now - heededAt;
    if (silence >= view.slots[slot]!.bounds.silence || goodbyeAt >= heededAt) return undefined;
    if (why === 'sync-group' && worseAt >= heededAt) return undefined;
    return `${machine.name} takes over ${ms(silence)} after an advert`;
  },

  /** RFC 9568 §6.4.3: of two equal masters the one with the higher address stays. Addresses rise with the machines. */
  'the higher of two equals stays': (view, machine, { instance, why, peer }) => {
    if (why !== 'higher-address' || peer === undefined) return undefined;
    const { network } = view.world.scenario.slots[view.slotNamed(instance)]!;
    for (const each of view.world.machines) {
      const own = each.interfaces[network]!.addresses.some(({ address }) => address === peer);
      if (own && each.index < machine.index) return `${machine.name} yields to ${each.name}, whose address is lower`;
    }
    return undefined;
  },

  /** A successor of one that said goodbye has heard it. */
  'no successor without a goodbye': (view, machine, { instance, to, why }) => {
    if (to !== 'MASTER' || why !== 'priority-zero') return undefined;
    const { goodbyeAt } = view.parts[machine.index]![view.slotNamed(instance)]!;
    return goodbyeAt === Number.NEGATIVE_INFINITY ? `${machine.name} heard no goodbye` : undefined;
  },

  /** Who takes over from a master that fell below it has heard that advert, and none since that it must heed. */
  'no fast handover without a worse master': (view, machine, { instance, to, why }) => {
    if (to !== 'MASTER' || why !== 'lower-priority') return undefined;
    const { worseAt, heededAt } = view.parts[machine.index]![view.slotNamed(instance)]!;
    return worseAt <= heededAt ? `${machine.name} heard no worse advert since a better one` : undefined;
  },

  /** I4: in peace nothing changes. */
  'no transition in peace': (view, machine, { instance, from, to, why, detail }) => {
    const { bounds } = view.slots[view.slotNamed(instance)]!;
    if (view.quiet <= bounds.settled) return undefined;
    return `${machine.name} goes from ${from} to ${to} (${why}: ${detail}) after ${ms(view.quiet)} of peace`;
  },
};
