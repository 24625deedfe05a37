// interface_up_down_delays: how long a change of a link must last to count, never so long that another router is master
// by then. Pure.
import { type Micros, micros } from '../units.ts';
import type { Report } from './diagnostics.ts';
import type { DelayLine } from './keywords/interfaces.ts';
import type { InstanceConfig, InterfaceDelay } from './model.ts';

/** @param instances all there are, whichever interfaces they use */
export function buildInterfaceDelays(
  lines: readonly DelayLine[],
  instances: readonly InstanceConfig[],
  report: Report,
): readonly InterfaceDelay[] {
  const delays = new Map<string, InterfaceDelay>();
  for (const { place, ...delay } of lines) {
    const name = delay.interface;
    if (delays.has(name)) {
      report.add('W014', place, `${name} has delays already; the first line counts`, { value: name });
      continue;
    }
    const limit = longestDown(name, instances);
    if (delay.down > limit)
      report.add(
        'W040',
        place,
        `a master that ignores for ${delay.down / 1e6} s that ${name} is down is not alone any more; ${limit / 1e6} s is used`,
        { value: `${delay.down / 1e6}`, limit: `0..${limit / 1e6}` },
      );
    delays.set(name, { ...delay, down: micros(Math.min(delay.down, limit)) });
  }
  return [...delays.values()];
}

/** Backups wait for down_timer_adverts intervals; the master must have given up one interval earlier (as keepalived). */
function longestDown(name: string, instances: readonly InstanceConfig[]): Micros {
  const users = instances.filter(
    (instance) =>
      instance.interface === name ||
      instance.trackInterfaces.some((track) => track.name === name) ||
      [...instance.vips, ...instance.excludedVips].some(({ device }) => device === name),
  );
  return micros(Math.min(...users.map(({ downTimerAdverts, interval }) => (downTimerAdverts - 1) * interval)));
}
