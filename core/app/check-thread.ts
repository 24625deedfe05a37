// The composition root of a thread that makes checks: loads its plugins, and serves the agent from then on.
// Loaded as a worker; whatever a plugin does here, it does to this thread alone.
import { type MessagePort, workerData } from 'node:worker_threads';
import { builtInPlugins } from '../../plugins/index.ts';
import { textOf } from '../checks/check-run.ts';
import type { CheckCommand, CheckEvent } from '../checks/messages.ts';
import { pluginsOf } from '../checks/plugin-shape.ts';
import { serve } from '../checks/serve.ts';
import type { Plugin } from '../plugin/notifier.ts';
import { LinuxCheckNetwork } from '../system/check-network.ts';
import { systemTiming } from '../system/child-process.ts';
import { PortableCheckNetwork } from '../system/portable/check-network.ts';
import { nativeOrAbsent, whyAbsent } from './addon.ts';
import { notifyServices } from './notify-services.ts';
import { checkPrograms } from './programs.ts';

/** What the main thread hands over. */
export interface CheckThreadData {
  readonly port: MessagePort;
  /** URL of the module of a plugin; undefined: the plugins that come with the agent. */
  readonly module: string | undefined;
  /** Where its programs are noted, so that none outlives it. */
  readonly groups: Int32Array;
}

const { port, module } = workerData as CheckThreadData;
const post = (event: CheckEvent): void => port.postMessage(event);

try {
  const plugins: readonly Plugin[] = module === undefined ? builtInPlugins : pluginsOf(await import(module));
  const carryOut = serve(plugins, {
    timing: systemTiming,
    random: Math.random,
    services: services(),
    programs: checkPrograms,
    notifyServices,
    post,
  });
  port.on('message', (command: CheckCommand) => carryOut(command));
} catch (error) {
  post({ type: 'refused', why: textOf(error) });
}

/** It opens its sockets when the first check asks for them. */
function services(): Parameters<typeof serve>[1]['services'] {
  const native = nativeOrAbsent();
  return { network: whyAbsent(native) === undefined ? new LinuxCheckNetwork(native) : new PortableCheckNetwork() };
}
