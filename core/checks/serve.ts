// What a thread that makes checks does with the agent's commands. Knows no thread: whoever has a channel can be one.
import type { NotifyServices, Plugin, PluginDescription } from '../plugin/notifier.ts';
import { Deliveries } from './deliveries.ts';
import type { CheckCommand, CheckEvent, NotifierPlan } from './messages.ts';
import { Rounds, type RoundsPorts } from './rounds.ts';

export interface ServePorts extends Omit<RoundsPorts, 'plugins'> {
  /** What notifiers may ask for. */
  readonly notifyServices: (plan: NotifierPlan) => NotifyServices;
}

/** Tells what it can do, and returns what takes commands from then on. */
export function serve(plugins: readonly Plugin[], ports: ServePorts): (command: CheckCommand) => void {
  const checks = plugins.filter((plugin) => plugin.kind === 'check');
  const notifiers = plugins.filter((plugin) => plugin.kind === 'notifier');
  const rounds = new Rounds({ ...ports, plugins: new Map(checks.map((plugin) => [plugin.name, plugin])) });
  const deliveries = new Deliveries({
    timing: ports.timing,
    post: ports.post,
    services: ports.notifyServices,
    plugins: new Map(notifiers.map((plugin) => [plugin.name, plugin])),
  });
  const describe = ({ api, name, help, options, settings, ...rest }: Plugin): PluginDescription => {
    const common = { api, name, help, options, ...(settings && { settings }) };
    if (rest.kind === 'check') return { ...common, kind: rest.kind };
    return { ...common, kind: rest.kind, ...(rest.gather !== undefined && { gather: rest.gather }) };
  };
  const post = (event: CheckEvent): void => ports.post(event);
  post({ type: 'ready', plugins: plugins.map(describe) });
  return (command) => {
    switch (command.type) {
      case 'configure':
        rounds.configure(command.plans);
        break;
      case 'notifiers':
        deliveries.configure(command.plans);
        break;
      case 'deliver':
        void deliveries.deliver(command.id, command.delivery);
        break;
      case 'snapshot':
        post({ type: 'snapshot', id: command.id, checks: rounds.snapshots() });
        break;
      case 'probe':
        rounds.probe(command.name);
        break;
      case 'ping':
        post({ type: 'pong', id: command.id });
        break;
    }
  };
}
