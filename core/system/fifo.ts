// Named pipes on Linux. Opened as keepalived does: for reading as well, so that a missing reader is no error; never
// through a symbolic link; only a pipe that root or we own.
import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, unlinkSync, writeSync } from 'node:fs';
import type { Fifo, FifoFailure, Fifos } from '../ports/fifo.ts';

const FLAGS = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** Node has no mkfifo(3); the program is in every Linux, and runs once for each pipe. */
const MKFIFO_PATH = '/usr/bin:/bin:/usr/sbin:/sbin';
const MKFIFO_TIMEOUT_MS = 2_000;

export class SystemFifos implements Fifos {
  open(path: string, mode: number): Fifo | FifoFailure {
    const made = look(path) === undefined;
    if (made) {
      const failure = make(path, mode);
      if (failure !== undefined) return failure;
    }
    try {
      // Looked at before it is opened, since opening a device may do something, and afterwards what was opened.
      const before = refusal(look(path));
      if (before !== undefined) return { why: `${path} ${before}` };
      const fd = openSync(path, FLAGS);
      const stats = fstatSync(fd);
      const after = refusal(stats);
      if (after === undefined) return new OpenFifo(path, fd, made ? stats : undefined);
      closeSync(fd);
      return { why: `${path} ${after}` };
    } catch (error) {
      return { why: reason(error, path) };
    }
  }
}

class OpenFifo implements Fifo {
  readonly #path: string;
  /** What it was when we made it; undefined: it was there. */
  readonly #made: Stats | undefined;
  #fd: number | undefined;

  constructor(path: string, fd: number, made: Stats | undefined) {
    this.#path = path;
    this.#fd = fd;
    this.#made = made;
  }

  write(line: string): 'written' | 'full' | FifoFailure {
    if (this.#fd === undefined) return { why: `${this.#path} is closed` };
    try {
      // Up to PIPE_BUF (4096 bytes) the kernel takes all or nothing.
      writeSync(this.#fd, line);
      return 'written';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 'full' : { why: reason(error, this.#path) };
    }
  }

  close(): void {
    if (this.#fd === undefined) return;
    // Removed before it is closed: a reader that opens it again at the end of the file must not wait in it for ever.
    const there = look(this.#path);
    if (this.#made !== undefined && there?.ino === this.#made.ino && there.dev === this.#made.dev)
      try {
        unlinkSync(this.#path);
      } catch {
        // Somebody was faster, or the directory is closed to us now: nothing is left to do.
      }
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function make(path: string, mode: number): FifoFailure | undefined {
  const done = spawnSync('mkfifo', ['-m', mode.toString(8).padStart(4, '0'), '--', path], {
    env: { PATH: MKFIFO_PATH, LC_ALL: 'C' },
    encoding: 'utf8',
    timeout: MKFIFO_TIMEOUT_MS,
  });
  if (done.status === 0) return undefined;
  return { why: `${path} could not be made: ${done.error?.message ?? done.stderr.trim()}` };
}

function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function refusal(stats: Stats | undefined): string | undefined {
  if (!stats?.isFIFO()) return 'is not a named pipe';
  const { uid } = stats;
  return uid === 0 || uid === process.geteuid?.() ? undefined : `belongs to user id ${uid}`;
}

const reason = (error: unknown, path: string): string =>
  `${path} cannot be used: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
