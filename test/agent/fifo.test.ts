import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notice } from '../../core/agent/events.ts';
import { FifoNotifier, fifoLine } from '../../core/agent/fifo.ts';
import { Log } from '../../core/agent/log.ts';
import type { GlobalDefs } from '../../core/config/model.ts';
import type { Fifo, FifoFailure, Fifos } from '../../core/ports/fifo.ts';
import { millis, seconds } from '../../core/units.ts';
import { type Behaviour, FakeProcesses } from './fake-processes.ts';
import { allReady, globals } from './sample-config.ts';
import { VirtualTime } from './virtual-time.ts';

/** Pipes in memory, each with room for so many lines. */
class FakeFifos implements Fifos {
  readonly log: string[] = [];
  room = Number.POSITIVE_INFINITY;

  open(path: string, mode: number): Fifo | FifoFailure {
    if (path === '/bad') return { why: '/bad is not a named pipe' };
    this.log.push(`open ${path} ${mode.toString(8)}`);
    return {
      write: (line) => {
        if (this.room-- <= 0) return 'full';
        this.log.push(`${path}: ${line.trimEnd()}`);
        return 'written';
      },
      close: () => void this.log.push(`close ${path}`),
    };
  }
}

function lab(behave: () => Behaviour = () => ({ takes: 'for ever' })) {
  const time = new VirtualTime();
  const lines: string[] = [];
  const logger = new Log({ sink: (line) => lines.push(line), now: () => time.wallTime(), timestamps: false });
  const fifos = new FakeFifos();
  const processes = new FakeProcesses(time, behave);
  const notifier = new FifoNotifier({ fifos, processes, timing: time, logger });
  const configure = (defs: Partial<GlobalDefs>): void =>
    notifier.configure({ globals: { ...globals(), ...defs } }, allReady());
  const runs = (): string[] => processes.started.map(({ argv }) => argv.join(' '));
  return { time, lines, fifos, processes, notifier, configure, runs };
}

const notice = (changes: Partial<Notice> = {}): Notice => ({
  kind: 'INSTANCE',
  name: 'VI_1',
  state: 'MASTER',
  previous: 'BACKUP',
  reason: 'master-timeout',
  priority: 100,
  ...changes,
});

const script = { argv: ['/n/reader', 'own'] };

test("lines are keepalived's, byte for byte", () => {
  assert.equal(fifoLine(notice()), 'INSTANCE "VI_1" MASTER 100\n');
  assert.equal(fifoLine(notice({ kind: 'GROUP', name: 'G', priority: 0 })), 'GROUP "G" MASTER 0\n');
  assert.equal(fifoLine(notice({ state: 'MASTER_RX_LOWER_PRI' })), 'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100\n');
});

test('both pipes get every line, with the permissions that the umask of the file leaves', () => {
  const { configure, notifier, fifos } = lab();
  configure({ notifyFifo: { path: '/g' }, vrrpNotifyFifo: { path: '/v' } });
  notifier.notify(notice());
  assert.deepEqual(fifos.log, [
    'open /g 600',
    'open /v 600',
    '/g: INSTANCE "VI_1" MASTER 100',
    '/v: INSTANCE "VI_1" MASTER 100',
  ]);
  configure({ notifyFifo: { path: '/other' }, umask: 0o022 });
  assert.deepEqual(fifos.log.slice(4), ['close /g', 'close /v', 'open /other 644']);
});

test('the program gets the path as its last argument, and is started again a second after it ended', async () => {
  const { time, configure, runs, processes, lines } = lab(() => ({ takes: millis(500), code: 3 }));
  configure({ notifyFifo: { path: '/g', script } });
  await time.advance(seconds(2));
  assert.deepEqual(runs(), ['/n/reader own /g', '/n/reader own /g']);
  assert.deepEqual(processes.times, [0, 1_500]);
  assert.match(lines[0] ?? '', /fifo-script script=notify_fifo_script why="exit code 3" effect="started again"/);
});

test('at a reload a pipe with a program is made anew, one without goes on', async () => {
  const { time, configure, runs, processes, fifos } = lab();
  const defs = { notifyFifo: { path: '/g', script }, vrrpNotifyFifo: { path: '/v' } };
  configure(defs);
  configure(defs);
  await time.advance(seconds(1));
  assert.deepEqual(fifos.log, ['open /g 600', 'open /v 600', 'close /g', 'open /g 600']);
  assert.equal(runs().length, 2);
  assert.equal(processes.alive, 1);
});

test('at the end programs are ended and awaited, and what comes later is ignored', async () => {
  const { time, configure, notifier, processes, fifos } = lab(() => ({ takes: 'for ever', lingers: seconds(1) }));
  configure({ notifyFifo: { path: '/g', script } });
  const drained = notifier.drain();
  await time.advance(millis(500));
  assert.equal(processes.alive, 1);
  await time.advance(seconds(1));
  await drained;
  notifier.notify(notice());
  assert.deepEqual(fifos.log, ['open /g 600', 'close /g']);
  assert.equal(time.timers, 0);
});

test('a full pipe loses lines, counts them and says so once a minute', () => {
  const { configure, notifier, fifos, lines } = lab();
  configure({ notifyFifo: { path: '/g' } });
  fifos.room = 2;
  for (let i = 0; i < 100; i++) notifier.notify(notice());
  assert.deepEqual(notifier.lost, [{ path: '/g', lost: 98 }]);
  assert.deepEqual(lines, ['warning fifo-lost fifo=/g why="it is full: nobody reads it" lost=1']);
});

test('a pipe that cannot be used is said, and nothing is started for it', () => {
  const { configure, notifier, runs, lines } = lab();
  configure({ notifyFifo: { path: '/bad', script } });
  notifier.notify(notice());
  assert.deepEqual(runs(), []);
  assert.deepEqual(lines, ['error fifo fifo=notify_fifo why="/bad is not a named pipe" effect="not written"']);
});
