// Which of the two transports carries the adverts: our own sockets on the real-time thread, or the package raw-socket on
// the main thread where the addon does not load or the administrator says so. Decides; opens nothing.
import { spawnSync } from 'node:child_process';
import type { Loaded } from '../agent/agent.ts';
import type { EngineTransport } from '../config/model.ts';
import type { EngineNetwork } from '../ports/engine-io.ts';
import { systemTiming } from '../system/child-process.ts';
import type { Native } from '../system/native/index.ts';
import { LinuxNetwork } from '../system/network.ts';
import { toolPath } from '../system/portable/ip-program.ts';
import { PortableNetwork } from '../system/portable/network.ts';
import { loadRawSocket } from '../system/portable/raw-socket.ts';
import type { ConfigurationFile } from './configuration-file.ts';
import { beyondPortable } from './portable-limits.ts';

export interface ChosenTransport {
  readonly name: EngineTransport;
  /** What was asked for, if anything. */
  readonly wanted: EngineTransport | undefined;
  /** What people should know about it, for the log. */
  readonly remarks: readonly string[];
}

/**
 * @param wanted what the command line or the file asks for; undefined: the best there is
 * @param addon why the native addon does not load; undefined: it does
 * @throws NativeAddonError, PortableTransportError when what is wanted cannot be had
 */
export function chooseTransport(wanted: EngineTransport | undefined, addon: Error | undefined): ChosenTransport {
  if (wanted !== 'raw-socket' && addon === undefined) return { name: 'native', wanted, remarks: [] };
  if (wanted === 'native') throw addon;
  try {
    loadRawSocket();
  } catch (error) {
    if (wanted === 'raw-socket') throw error;
    (addon as Error).message += `; nor is there a substitute: ${(error as Error).message}`;
    throw addon;
  }
  const why = addon === undefined ? [] : [`${addon.message}; the package raw-socket is used instead`];
  return { name: 'raw-socket', wanted, remarks: [...why, WEAKER, ...arpingTrouble()] };
}

/** The configuration if the transport can do what it asks for; else undefined, and the file says why. */
export function admissible(
  loaded: Loaded | undefined,
  { name }: ChosenTransport,
  file: ConfigurationFile,
): Loaded | undefined {
  const troubles = loaded === undefined || name === 'native' ? [] : beyondPortable(loaded.configuration);
  return troubles.length === 0
    ? loaded
    : file.refuse(`the transport raw-socket cannot do what ${file.path} asks for: ${troubles.join('; ')}`);
}

/** Said at a reload that asks for another transport than the start did; undefined: it does not. */
export const changeOf = (loaded: Loaded | undefined, { wanted }: ChosenTransport): string | undefined =>
  loaded === undefined || loaded.configuration.globals.transport === wanted
    ? undefined
    : 'vrrp_transport takes effect with the next start of the agent';

/** A network of that transport for one use from the main thread; nobody waits for what happens on it. */
export const networkOf = ({ name }: ChosenTransport, native: Native): EngineNetwork =>
  name === 'native' ? new LinuxNetwork(native) : new PortableNetwork({ now: systemTiming.now }, () => {});

const WEAKER =
  'raw-socket is the weaker transport: IPv4 only and intervals of 100 ms and more; the adverts share a thread with ' +
  'everything else, so that checks, reloads and garbage collection delay them; addresses are bound by ip and announced by ' +
  'arping, some milliseconds each; should the agent hang, only the kernel lifetime of the addresses ends them';

/** Announcements are not vital, but without them the neighbours learn late. */
function arpingTrouble(): readonly string[] {
  const { stdout, stderr, error } = spawnSync('arping', ['-V'], { encoding: 'utf8', env: toolPath(), timeout: 2_000 });
  if (error === undefined && /iputils|BusyBox/.test(`${stdout}${stderr}`)) return [];
  return [
    'there is no arping of iputils or BusyBox: nobody is told when an address moves, so neighbours go on sending to the old machine ' +
      'until their ARP entries expire; fix: apt-get install iputils-arping',
  ];
}
