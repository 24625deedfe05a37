// What a new configuration changes for the virtual routers of an old one. Pure.
import type { Configuration, InstanceConfig } from './model.ts';

export interface InstanceChange {
  readonly before: InstanceConfig;
  readonly after: InstanceConfig;
}

export interface ConfigurationDiff {
  readonly added: readonly InstanceConfig[];
  readonly removed: readonly InstanceConfig[];
  readonly changed: readonly InstanceChange[];
  readonly equal: readonly InstanceConfig[];
}

/**
 * Which virtual router an instance is: interface, VRID, family, mode, and for unicast the source address. Its name is
 * no part of it, so a renamed instance goes on in its state (as in keepalived).
 */
export function identityOf({ interface: device, vrid, family, transport }: InstanceConfig): string {
  const source = transport.mode === 'unicast' ? (transport.source ?? 'primary') : '';
  return `${device} ${vrid} ${family} ${transport.mode} ${source}`;
}

export const sameRouter = (a: InstanceConfig, b: InstanceConfig): boolean => identityOf(a) === identityOf(b);

/** Added and changed in the order of `after`, removed in the order of `before`. Each instance is in exactly one list. */
export function diffConfigurations(before: Configuration, after: Configuration): ConfigurationDiff {
  const old = groupByIdentity(before.instances);
  const added: InstanceConfig[] = [];
  const changed: InstanceChange[] = [];
  const equal: InstanceConfig[] = [];
  for (const instance of after.instances) {
    // Unicast instances of one source may differ in their peers alone: the same name first, then in order.
    const candidates = old.get(identityOf(instance)) ?? [];
    const index = Math.max(
      0,
      candidates.findIndex(({ name }) => name === instance.name),
    );
    const [match] = candidates.splice(index, 1);
    if (match === undefined) added.push(instance);
    else if (isDeepEqual(match, instance)) equal.push(instance);
    else changed.push({ before: match, after: instance });
  }
  return { added, removed: before.instances.filter((one) => old.get(identityOf(one))?.includes(one)), changed, equal };
}

function groupByIdentity(instances: readonly InstanceConfig[]): Map<string, InstanceConfig[]> {
  const map = new Map<string, InstanceConfig[]>();
  for (const instance of instances) map.set(identityOf(instance), [...(map.get(identityOf(instance)) ?? []), instance]);
  return map;
}

/** Equality of plain data; absent and undefined are the same. */
function isDeepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return (
    Array.isArray(a) === Array.isArray(b) &&
    [...new Set([...Object.keys(x), ...Object.keys(y)])].every((key) => isDeepEqual(x[key], y[key]))
  );
}
