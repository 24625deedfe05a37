// check-gateway: the way out answers: am I the isolated one? Asks by ARP or neighbour discovery, because a router need not
// answer a ping, and past the neighbour tables, because those remember.
import { familyOf, type IpAddress, isInPrefix, isMulticast } from '../../core/net/address.ts';
import { type CheckHost, checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { CheckNetwork, EchoResult } from '../../core/plugin/network.ts';
import type { OptionValues } from '../../core/plugin/options.ts';
import { type Micros, micros, millis } from '../../core/units.ts';
import { defaultRouters, type Router } from './routes.ts';

/** A lost frame must not look like a lost router: asked again this often within the time of a probe. */
const TRIES = 3;
const LONGEST_WAIT = millis(1_000);

const options = {
  address: { kind: 'address', many: true, help: 'router to ask for; default: those of the default routes' },
  interface: { kind: 'text', help: 'only by this interface', example: 'eth0' },
  need: { kind: 'choice', choices: ['any', 'all'], default: 'any', help: 'how many of several must answer' },
  family: { kind: 'choice', choices: ['any', 'ipv4', 'ipv6'], default: 'any', help: 'which default routes count' },
} as const;

type Values = OptionValues<typeof options>;
type Neighbourhood = CheckNetwork & Required<Pick<CheckNetwork, 'resolve'>>;

const hearsNeighbours = (network: CheckNetwork | undefined): network is Neighbourhood => network?.resolve !== undefined;

export const checkGateway = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'gateway',
  help: 'the default router answers ARP or neighbour discovery',
  options,
  validate({ address, family }, complain) {
    for (const one of address.filter((one) => isMulticast(one))) complain('address', `${one} is a group, not a router`);
    if (address.length > 0 && family !== 'any') complain('family', 'it chooses among default routes, and address does');
  },
  create: (values: Values, { network, timeout }: CheckHost): HealthCheck => {
    if (!hearsNeighbours(network))
      throw new Error('it needs the native addon, which does not load; fix: node core/system/native/build.mjs');
    return { probe: (signal) => probe(values, network, timeout, signal) };
  },
});

async function probe(
  values: Values,
  network: Neighbourhood,
  timeout: Micros,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const routers =
    values.address.length === 0 ? chosenRouters(values) : values.address.map((a) => placeOf(a, values, network));
  if (routers.length === 0) return { ok: false, why: 'there is no default route to a router' };
  const wait = micros(Math.min(LONGEST_WAIT, timeout / (TRIES + 1)));
  const all = values.need === 'all';
  return await new Promise<ProbeResult>((resolve) => {
    const over = new AbortController();
    let left = routers.length;
    let why = '';
    const end = (result: ProbeResult): void => {
      signal.removeEventListener('abort', onAbort);
      over.abort();
      resolve(result);
    };
    const onAbort = (): void => end({ ok: false, why: 'no answer' });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    for (const router of routers)
      void ask(router, network, wait, over.signal).then((result) => {
        if (over.signal.aborted) return;
        left--;
        if (!result.ok) why ||= `${router.address}: ${result.why}`;
        if (all && !result.ok) end({ ok: false, why });
        else if (!all && result.ok) end({ ok: true, detail: router.address });
        else if (left === 0) end(all ? { ok: true } : { ok: false, why });
      });
  });
}

/** Several tries, each with its own time. */
async function ask(
  router: Router | Lost,
  network: Neighbourhood,
  wait: Micros,
  signal: AbortSignal,
): Promise<EchoResult> {
  if ('why' in router) return { ok: false, why: router.why };
  const request = { target: router.address, interface: router.interface };
  for (let tries = 0; tries < TRIES && !signal.aborted; tries++) {
    const time = new AbortController();
    const stop = (): void => time.abort();
    const timer = setTimeout(stop, wait / 1_000);
    signal.addEventListener('abort', stop, { once: true });
    const result = await network.resolve(request, time.signal);
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    if (result.ok || !time.signal.aborted) return result;
  }
  return { ok: false, why: 'no answer' };
}

function chosenRouters({ family, interface: by }: Values): readonly Router[] {
  return defaultRouters().filter(
    (router) =>
      (by === undefined || router.interface === by) &&
      (family === 'any' || family === `ipv${familyOf(router.address)}`),
  );
}

/** A router that cannot be asked. */
interface Lost {
  readonly address: IpAddress;
  readonly why: string;
}

/** Where a router that the file names is to be asked for: on the interface whose network it is in. */
function placeOf(address: IpAddress, { interface: by }: Values, network: Neighbourhood): Router | Lost {
  if (by !== undefined) return { address, interface: by };
  const link = network
    .links()
    .find(({ addresses }) => addresses.some((own) => isInPrefix(address, own.address, own.prefixLength)));
  return link === undefined
    ? { address, why: 'it is in the network of no interface' }
    : { address, interface: link.name };
}
