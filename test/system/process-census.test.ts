import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessQuery } from '../../core/ports/process-watch.ts';
import { ProcessCensus } from '../../core/system/process-census.ts';

interface FakeProcess {
  readonly comm: string;
  readonly argv?: readonly string[];
  readonly state?: string;
}

class Machine {
  readonly processes = new Map<number, FakeProcess>();
  readonly counts: Record<string, number> = {};
  readonly read: string[] = [];
  readonly census: ProcessCensus;

  constructor(...queries: (Partial<ProcessQuery> & { argv: readonly string[] })[]) {
    const full = queries.map((query, i) => ({ name: `q${i}`, match: 'any', fullCommand: false, ...query }) as const);
    this.census = new ProcessCensus(
      full,
      (path, limit) => this.#file(path)?.slice(0, limit),
      () => [...this.processes.keys()],
    );
  }

  #file(path: string): string | undefined {
    this.read.push(path);
    const [, , pid, name] = path.split('/');
    const process = this.processes.get(Number(pid));
    if (process === undefined) return undefined;
    if (name === 'stat') return `${pid} (${process.comm}) ${process.state ?? 'S'} 1 1`;
    return (process.argv ?? []).map((word) => `${word}\0`).join('');
  }

  /** What was told since the last call. */
  told(): Record<string, number> {
    const news: Record<string, number> = {};
    this.census.tell((name, count) => {
      news[name] = count;
    });
    return news;
  }
}

const java = ['java', '-jar', 'app.jar'];
const table: readonly [Partial<ProcessQuery> & { argv: readonly string[] }, FakeProcess, boolean][] = [
  [{ argv: ['nginx'] }, { comm: 'nginx' }, true],
  [{ argv: ['ssh'] }, { comm: 'sshd' }, false],
  [{ argv: ['/usr/sbin/nginx'] }, { comm: 'nginx', argv: ['nginx: master'] }, true],
  [{ argv: ['a-name-longer-than-15'] }, { comm: 'a-name-longer-t' }, true],
  [{ argv: ['odd) name'] }, { comm: 'odd) name' }, true],
  [{ argv: ['nginx'] }, { comm: 'nginx', state: 'Z' }, false],
  [{ argv: ['nginx'], fullCommand: true }, { comm: 'x', argv: ['nginx', '-g'] }, true],
  [{ argv: ['nginx'], fullCommand: true }, { comm: 'nginx', argv: ['/usr/sbin/nginx'] }, false],
  [{ argv: ['nginx'], fullCommand: true }, { comm: 'nginx', argv: ['nginxx'] }, false],
  [{ argv: ['nginx'], match: 'exact' }, { comm: 'x', argv: ['nginx'] }, true],
  [{ argv: ['nginx'], match: 'exact' }, { comm: 'x', argv: ['nginx', '-g'] }, false],
  [{ argv: java, match: 'exact' }, { comm: 'x', argv: java }, true],
  [{ argv: java, match: 'exact' }, { comm: 'x', argv: [...java, '-v'] }, false],
  [{ argv: java, match: 'exact' }, { comm: 'x', argv: ['java', '-jar', 'app.jar2'] }, false],
  [{ argv: java, match: 'partial' }, { comm: 'x', argv: [...java, '-v'] }, true],
  [{ argv: java, match: 'partial' }, { comm: 'x', argv: ['java', '-jar', 'app.jar2'] }, false],
  [{ argv: java, match: 'initial' }, { comm: 'x', argv: ['java', '-jar', 'app.jar2'] }, true],
  [{ argv: java, match: 'initial' }, { comm: 'x', argv: ['java', '-jarred', 'app.jar'] }, false],
  [{ argv: ['prüfer'], fullCommand: true }, { comm: 'x', argv: [Buffer.from('prüfer').toString('latin1')] }, true],
];

for (const [query, process, found] of table)
  test(`${JSON.stringify(query)} ${found ? 'is' : 'is not'} ${JSON.stringify(process)}`, () => {
    const machine = new Machine(query);
    machine.processes.set(7, process);
    machine.census.scan();
    assert.deepEqual(machine.told(), { q0: found ? 1 : 0 });
  });

test('starts, forks, new names and ends are counted, and only changes are told', () => {
  const machine = new Machine({ argv: ['nginx'] });
  machine.census.scan();
  assert.deepEqual(machine.told(), { q0: 0 });
  machine.processes.set(7, { comm: 'nginx' });
  machine.census.look(7);
  machine.census.forked(7, 8);
  machine.census.forked(1, 9);
  assert.deepEqual(machine.told(), { q0: 2 });
  machine.census.look(7);
  machine.census.forked(7, 8);
  assert.deepEqual(machine.told(), {});
  machine.census.look(8, 'worker');
  machine.census.ended(7);
  machine.census.ended(7);
  machine.census.ended(1234);
  assert.deepEqual(machine.told(), { q0: 0 });
});

test('counting anew forgets what is gone', () => {
  const machine = new Machine({ argv: ['nginx'] });
  machine.processes.set(7, { comm: 'nginx' });
  machine.census.scan();
  machine.processes.delete(7);
  machine.census.scan();
  assert.deepEqual(machine.told(), { q0: 0 });
});

test('command lines are read only where somebody asks for them', () => {
  const named = new Machine({ argv: ['nginx'] });
  named.processes.set(7, { comm: 'nginx' });
  named.census.scan();
  assert.deepEqual(named.read, ['/proc/7/stat']);
  const lines = new Machine({ argv: java, match: 'exact' });
  lines.processes.set(7, { comm: 'java' });
  lines.census.scan();
  assert.deepEqual(lines.read, ['/proc/7/cmdline']);
});

test('a process may be what several queries look for', () => {
  const machine = new Machine({ argv: ['java'] }, { argv: java, match: 'exact' });
  machine.processes.set(7, { comm: 'java', argv: java });
  machine.processes.set(8, { comm: 'java', argv: ['java'] });
  machine.census.scan();
  assert.deepEqual(machine.told(), { q0: 2, q1: 1 });
});
