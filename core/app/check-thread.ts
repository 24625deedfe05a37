// The composition root of a thread that makes checks: loads its plugins, and serves the agent from then on.
// Loaded as a worker; whatever a plugin does here, it does to this thread alone.
import { type MessagePort, workerData } from 'node:worker_threads';
import { checkPlugins } from '../../plugins/index.ts';
import { textOf } from '../checks/check-run.ts';
import type { CheckCommand, CheckEvent } from '../checks/messages.ts';
import { pluginsOf } from '../checks/plugin-shape.ts';
import { serve } from '../checks/serve.ts';
import type { CheckPlugin } from '../plugin/check.ts';
import { systemTiming } from '../system/child-process.ts';

/** What the main thread hands over. */
export interface CheckThreadData {
  readonly port: MessagePort;
  /** URL of the module of a plugin; undefined: the plugins that come with the agent. */
  readonly module: string | undefined;
}

const { port, module } = workerData as CheckThreadData;
const post = (event: CheckEvent): void => port.postMessage(event);

try {
  const plugins: readonly CheckPlugin[] = module === undefined ? checkPlugins : pluginsOf(await import(module));
  const carryOut = serve(plugins, { timing: systemTiming, random: Math.random, services: {}, post });
  port.on('message', (command: CheckCommand) => carryOut(command));
} catch (error) {
  post({ type: 'refused', why: textOf(error) });
}
