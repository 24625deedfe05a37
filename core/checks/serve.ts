// What a thread that makes checks does with the agent's commands. Knows no thread: whoever has a channel can be one.
import type { CheckPlugin } from '../plugin/check.ts';
import type { CheckCommand, CheckEvent } from './messages.ts';
import { Rounds, type RoundsPorts } from './rounds.ts';

/** Tells what it can do, and returns what takes commands from then on. */
export function serve(
  plugins: readonly CheckPlugin[],
  ports: Omit<RoundsPorts, 'plugins'>,
): (command: CheckCommand) => void {
  const rounds = new Rounds({ ...ports, plugins: new Map(plugins.map((plugin) => [plugin.name, plugin])) });
  const describe = ({ api, kind, name, help, options, settings }: CheckPlugin) => {
    return { api, kind, name, help, options, ...(settings && { settings }) };
  };
  const post = (event: CheckEvent): void => ports.post(event);
  post({ type: 'ready', plugins: plugins.map(describe) });
  return (command) => {
    switch (command.type) {
      case 'configure':
        rounds.configure(command.plans);
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
