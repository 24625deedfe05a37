// notify-exec: an event starts a program, without a shell, with the event as JSON on its standard input.
import { type Notifier, type NotifierHost, notifierPlugin, type VipkeeperEvent } from '../../core/plugin/notifier.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

const options = {
  program: {
    kind: 'words',
    required: true,
    help: 'the program and its arguments; no shell sees them',
    example: '/usr/local/bin/tell --quiet',
  },
} as const;

/** Variables of the environment, and the member of the event that each has. */
const VARIABLES = {
  VIPKEEPER_EVENT: 'type',
  VIPKEEPER_ID: 'id',
  VIPKEEPER_INSTANCE: 'instance',
  VIPKEEPER_GROUP: 'group',
  VIPKEEPER_CHECK: 'check',
  VIPKEEPER_STATE: 'to',
  VIPKEEPER_PREVIOUS_STATE: 'from',
  VIPKEEPER_REASON: 'reason',
  VIPKEEPER_PRIORITY: 'priority',
  VIPKEEPER_PEER: 'peer',
} as const satisfies Readonly<Record<string, keyof VipkeeperEvent>>;

export const notifyExec = notifierPlugin({
  api: 1,
  kind: 'notifier',
  name: 'exec',
  help: 'starts a program for each event',
  options,
  create: ({ program }: OptionValues<typeof options>, host: NotifierHost): Notifier => ({
    notify: ([event], signal) =>
      host.run({ argv: program, environment: environmentOf(event!), input: `${JSON.stringify(event)}\n` }, signal),
  }),
});

function environmentOf(event: VipkeeperEvent): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(VARIABLES).flatMap(([name, member]) =>
      event[member] === undefined ? [] : [[name, `${event[member]}`]],
    ),
  );
}
