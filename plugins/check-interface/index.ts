// check-interface: an interface is up and can carry traffic, with the address, the MTU and the speed that it should have.
// Sends nothing: what it says is what the kernel knows, so a dead switch behind a living port looks fine.
import { readFileSync } from 'node:fs';
import { type CheckHost, checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { CheckNetwork, NetworkLink } from '../../core/plugin/network.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

const options = {
  name: { kind: 'text', required: true, help: 'the interface', example: 'eth0' },
  address: { kind: 'address', many: true, help: 'an address that it must have' },
  mtu: { kind: 'integer', min: 68, max: 65_536, help: 'bytes that its MTU must be at least' },
  speed: { kind: 'integer', min: 1, max: 10_000_000, help: 'Mbit/s that its speed must be at least' },
} as const;

type Values = OptionValues<typeof options>;

export const checkInterface = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'interface',
  help: 'an interface is up, with the carrier, address, MTU and speed that it should have',
  options,
  create: (values: Values, { network }: CheckHost): HealthCheck => {
    if (network === undefined) throw new Error('whoever runs it offers no network to checks');
    return { probe: async () => look(values, network) };
  },
});

function look({ name, address, mtu, speed }: Values, network: CheckNetwork): ProbeResult {
  const link = network.links().find((one) => one.name === name);
  if (link === undefined) return { ok: false, why: 'there is no such interface' };
  const why = whatIsWrong(link);
  if (why !== undefined) return { ok: false, why };
  const missing = address.find((wanted) => !link.addresses.some((own) => own.address === wanted));
  if (missing !== undefined) return { ok: false, why: `it lacks ${missing}` };
  if (mtu !== undefined && link.mtu < mtu) return { ok: false, why: `its MTU is ${link.mtu}` };
  if (speed === undefined) return { ok: true };
  const has = speedOf(link);
  if (has === undefined) return { ok: false, why: 'its driver tells no speed' };
  return has < speed ? { ok: false, why: `its speed is ${has} Mbit/s` } : { ok: true, detail: `${has} Mbit/s` };
}

function whatIsWrong({ up, carrier, running }: NetworkLink): string | undefined {
  if (!up) return 'it is switched off';
  if (!carrier) return 'it has no carrier';
  return running ? undefined : 'it is not running';
}

/** Mbit/s; undefined: the driver does not say. */
function speedOf({ name, index }: NetworkLink): number | undefined {
  try {
    // /sys shows the network namespace that it was mounted in: an interface of the same name there is another one.
    if (Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'utf8')) !== index) return undefined;
    const speed = Number(readFileSync(`/sys/class/net/${name}/speed`, 'utf8'));
    return speed > 0 ? speed : undefined;
  } catch {
    return undefined;
  }
}
