// notify-fifo: a line for each event into a named pipe or at the end of a file. Never waits for a reader: while a pipe is
// full, the events wait where all events wait.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import {
  type Notifier,
  type NotifierHost,
  type NotifyPipe,
  type NotifyResult,
  notifierPlugin,
  type VipkeeperEvent,
} from '../../core/plugin/notifier.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

const options = {
  pipe: { kind: 'text', help: 'named pipe; made where it is missing', example: '/run/vipkeeper/events' },
  file: { kind: 'text', help: 'file to append to, instead of a pipe', example: '/var/log/vipkeeper-events' },
  format: {
    kind: 'choice',
    choices: ['json', 'keepalived'],
    default: 'json',
    help: 'JSON, or keepalived’s lines for changes of state, and nothing for other events',
  },
} as const;

/** Only the owner reads and writes what is made here. */
const MODE = 0o600;
const APPEND =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export const notifyFifo = notifierPlugin({
  api: 1,
  kind: 'notifier',
  name: 'fifo',
  help: 'writes a line for each event into a named pipe or a file',
  options,
  create({ pipe, file, format }: OptionValues<typeof options>, host: NotifierHost): Notifier {
    if ((pipe === undefined) === (file === undefined)) throw new Error('either pipe or file is needed, and not both');
    const lineOf = format === 'json' ? jsonLine : keepalivedLine;
    const target = pipe === undefined ? intoFile(file!) : intoPipe(pipe, host);
    return {
      async notify([event]) {
        const line = lineOf(event!);
        return line === undefined ? { ok: true } : target.write(line);
      },
      close: () => target.close(),
    };
  },
});

interface Target {
  write(line: string): NotifyResult;
  close(): void;
}

function intoPipe(path: string, host: NotifierHost): Target {
  let open: NotifyPipe | undefined;
  const close = (): void => {
    open?.close();
    open = undefined;
  };
  return {
    write(line) {
      if (open === undefined) {
        const made = host.pipe(path, MODE);
        if ('why' in made) return { ok: false, why: made.why };
        open = made;
      }
      const outcome = open.write(line);
      if (outcome === 'written') return { ok: true };
      if (outcome === 'full') return { ok: false, why: 'nobody reads the pipe, and it is full' };
      close(); // opened anew with the next attempt
      return { ok: false, why: outcome.why };
    },
    close,
  };
}

/** Opened for each line: whoever rotates the file need tell nobody. */
function intoFile(path: string): Target {
  return {
    write(line) {
      const descriptor = openSync(path, APPEND, MODE);
      try {
        writeSync(descriptor, line);
        return { ok: true };
      } finally {
        closeSync(descriptor);
      }
    },
    close: () => {},
  };
}

const jsonLine = (event: VipkeeperEvent): string => `${JSON.stringify(event)}\n`;

/** As notify_fifo writes it: `INSTANCE "VI_1" MASTER 100`. */
function keepalivedLine({ type, instance, group, to, priority }: VipkeeperEvent): string | undefined {
  const state = to === 'INIT' ? 'STOP' : to;
  if (state === undefined || state === 'LEAVING') return undefined;
  if (type === 'transition') return `INSTANCE "${instance}" ${state} ${priority}\n`;
  return type === 'group-transition' ? `GROUP "${group}" ${state} 0\n` : undefined;
}
