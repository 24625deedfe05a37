// notify-smtp: what happens within a few seconds is one mail, through a relay. Words for people; the whole events follow
// as JSON, a line each.
import { hostname } from 'node:os';
import {
  type Notifier,
  type NotifierHost,
  type NotifyResult,
  notifierPlugin,
  type VipkeeperEvent,
} from '../../core/plugin/notifier.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

const options = {
  server: { kind: 'text', required: true, help: 'address or name of the relay', example: '192.0.2.25' },
  port: { kind: 'integer', min: 1, max: 65_535, default: 25, help: 'TCP port of the relay' },
  from: { kind: 'text', required: true, help: 'address of the sender', example: 'vipkeeper@example.org' },
  to: { kind: 'text', required: true, many: true, help: 'address of a receiver, may be repeated' },
  helo: { kind: 'text', help: 'our name for the relay; default: the name of the host' },
  digest: {
    kind: 'seconds',
    min: 0,
    max: 3_600,
    default: 10,
    help: 'seconds for which events are gathered into one mail',
  },
} as const;

export const notifySmtp = notifierPlugin({
  api: 1,
  kind: 'notifier',
  name: 'smtp',
  help: 'mails events, gathered',
  gather: 'digest',
  options,
  create: (values: OptionValues<typeof options>, host: NotifierHost): Notifier => {
    const { server, port, from, to } = values;
    if (to.length === 0) throw new Error('nobody is to get the mail: add to with an address');
    const relay = { host: server, port, helo: values.helo ?? hostname(), timeout: host.timeout };
    return {
      notify(events, signal) {
        const mail = host.mail({ ...relay, from, to, subject: subjectOf(events), text: textOf(events) });
        return Promise.race([mail, ended(signal)]);
      },
    };
  },
});

/** The relay has the same time as we have, so that little of a connection outlives this. */
const ended = (signal: AbortSignal): Promise<NotifyResult> =>
  new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve({ ok: false, why: 'aborted' }), { once: true }),
  );

function subjectOf(events: readonly VipkeeperEvent[]): string {
  const first = events[0]!;
  const more = events.length > 1 ? ` and ${events.length - 1} more` : '';
  return `[${first.routerId}] ${summaryOf(first)}${more}`;
}

function textOf(events: readonly VipkeeperEvent[]): string {
  const lost = events.reduce((sum, event) => sum + (event.lost ?? 0), 0);
  return [
    ...events.flatMap((event) => [
      `${event.time}  ${summaryOf(event)}`,
      ...(event.detail ? [`    ${event.detail}`] : []),
    ]),
    ...(lost > 0 ? ['', `${lost} earlier events were lost.`] : []),
    '',
    ...events.map((event) => JSON.stringify(event)),
    '',
  ].join('\n');
}

/** `VI_1: MASTER to FAULT (link-down)` */
function summaryOf({ type, instance, group, check, session, from, to, reason }: VipkeeperEvent): string {
  const who = instance ?? group ?? check ?? session;
  const change = from !== undefined && to !== undefined ? `${from} to ${to}` : (to ?? type);
  return `${who === undefined ? '' : `${who}: `}${change}${reason ? ` (${reason})` : ''}`;
}
