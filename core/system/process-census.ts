// Counts processes: which of those that live match what is looked for, kept up by events or counted anew from /proc.
// It reads /proc and nothing else; knows no socket and no thread.
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import type { ProcessQuery } from '../ports/process-watch.ts';

/** TASK_COMM_LEN without its zero: the kernel cuts names here. */
const COMM_MAX = 15;
const STAT_SIZE = 512;

interface Query {
  readonly name: string;
  /** undefined: the name of the process does not matter. */
  readonly comm: string | undefined;
  /** undefined: the command line does not matter. */
  readonly words: readonly string[] | undefined;
  readonly match: ProcessQuery['match'];
}

/** Reads at most so many bytes of a file of /proc, one character a byte; undefined: it is gone. */
export type ProcReader = (path: string, limit: number) => string | undefined;

export class ProcessCensus {
  readonly #queries: readonly Query[];
  readonly #read: ProcReader;
  readonly #listPids: () => readonly number[];
  readonly #wantsComm: boolean;
  /** Enough of a command line for every query, and to see whether it goes on; 0: none is needed. */
  readonly #commandBytes: number;
  /** What each matching process matches, as indices into the queries. */
  #matching = new Map<number, readonly number[]>();
  readonly #counts: number[];
  #told: readonly number[] = [];

  constructor(queries: readonly ProcessQuery[], read: ProcReader = readProc, listPids = pids) {
    this.#queries = queries.map(queryOf);
    this.#read = read;
    this.#listPids = listPids;
    this.#wantsComm = this.#queries.some(({ comm }) => comm !== undefined);
    const longest = Math.max(0, ...this.#queries.map(({ words }) => words?.join(' ').length ?? 0));
    this.#commandBytes = longest === 0 ? 0 : longest + 2;
    this.#counts = this.#queries.map(() => 0);
  }

  /** Counts everything anew. Zombies do not run. */
  scan(): void {
    this.#matching = new Map();
    this.#counts.fill(0);
    for (const pid of this.#listPids()) this.look(pid);
  }

  /** A process that is new, or another program by now. `comm`: its name, if that is known already. */
  look(pid: number, comm?: string): void {
    const name = comm ?? (this.#wantsComm ? nameOf(this.#read(`/proc/${pid}/stat`, STAT_SIZE)) : undefined);
    const line = this.#commandBytes === 0 ? [] : wordsOf(this.#read(`/proc/${pid}/cmdline`, this.#commandBytes));
    this.#set(
      pid,
      this.#queries.flatMap((query, i) => (matches(query, name, line) ? [i] : [])),
    );
  }

  /** A child begins as what its parent is. */
  forked(parent: number, child: number): void {
    this.#set(child, this.#matching.get(parent) ?? []);
  }

  ended(pid: number): void {
    this.#set(pid, []);
  }

  /** Tells the counts that have changed since the last call; the first time all. */
  tell(onCount: (name: string, count: number) => void): void {
    for (const [i, count] of this.#counts.entries())
      if (count !== this.#told[i]) onCount(this.#queries[i]!.name, count);
    this.#told = [...this.#counts];
  }

  #set(pid: number, now: readonly number[]): void {
    const before = this.#matching.get(pid);
    if (before === undefined && now.length === 0) return;
    for (const i of before ?? []) this.#counts[i]!--;
    for (const i of now) this.#counts[i]!++;
    if (now.length === 0) this.#matching.delete(pid);
    else this.#matching.set(pid, now);
  }
}

function queryOf({ name, argv, match, fullCommand }: ProcessQuery): Query {
  const byCommand = fullCommand || match !== 'any';
  const words = argv.map((word) => Buffer.from(word).toString('latin1'));
  const program = words[0] ?? '';
  // The name of a process has no directory and is cut: only that much can be compared.
  const comm = program.slice(program.lastIndexOf('/') + 1).slice(0, COMM_MAX);
  return { name, comm: byCommand ? undefined : comm, words: byCommand ? words : undefined, match };
}

function matches({ comm, words, match }: Query, name: string | undefined, line: readonly string[]): boolean {
  if (words === undefined) return comm === name;
  const last = words.length - 1;
  switch (match) {
    case 'any':
      return line[0] === words[0];
    case 'exact':
      return line.length === words.length && words.every((word, i) => word === line[i]);
    case 'partial':
      return words.every((word, i) => word === line[i]);
    case 'initial':
      return words.every((word, i) => (i === last && i > 0 ? line[i]?.startsWith(word) : word === line[i]));
  }
}

/** Empty when it is gone, or has no command line as threads of the kernel and zombies have none. */
function wordsOf(text: string | undefined): readonly string[] {
  // Programs that write their state there leave zeros behind it.
  return text === undefined || text === '' ? [] : text.replace(/\0+$/, '').split('\0');
}

/** The name in /proc/PID/stat, which stands in parentheses and may hold some; undefined: gone, or a zombie. */
function nameOf(stat: string | undefined): string | undefined {
  if (stat === undefined) return undefined;
  const end = stat.lastIndexOf(')');
  const state = stat[end + 2];
  return state === 'Z' || state === 'X' ? undefined : stat.slice(stat.indexOf('(') + 1, end);
}

const buffer = Buffer.alloc(STAT_SIZE);

function readProc(path: string, limit: number): string | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      const into = limit <= buffer.length ? buffer : Buffer.alloc(limit);
      return into.toString('latin1', 0, readSync(fd, into, 0, limit, null));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined; // ENOENT, ESRCH: it has ended
  }
}

const pids = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
