import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatLine, Log, type LogLevel } from '../../core/agent/log.ts';

function lab(level: LogLevel = 'info') {
  const lines: string[] = [];
  const clock = { now: Date.UTC(2026, 10, 21, 10, 20, 30, 123) };
  const log = new Log({ sink: (line) => lines.push(line), now: () => clock.now, level });
  return { lines, clock, log };
}

test('a line is time, level, event and fields', () => {
  const { lines, log } = lab();
  log.log('info', 'transition', {
    instance: 'VI_1',
    from: 'BACKUP',
    to: 'MASTER',
    priority: 91,
    left: undefined,
    detail: 'nothing heard for 3.6 s',
  });
  assert.deepEqual(lines, [
    '2026-11-21T10:20:30.123Z info transition instance=VI_1 from=BACKUP to=MASTER priority=91 detail="nothing heard for 3.6 s"',
  ]);
});

test('values are quoted when they would not survive splitting', () => {
  const line = formatLine('info', 'x', { a: '', b: 'a"b', c: 'a=b', d: 'a\\b', e: '/bin/x', f: '10.0.0.1', g: '中文' });
  assert.equal(line, 'info x a="" b="a\\"b" c="a=b" d="a\\\\b" e=/bin/x f=10.0.0.1 g=中文');
});

test('no value can end the line or steer a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (event, value) => {
      const line = formatLine('error', event, { value });
      assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029\u202e]/u);
      const quoted = /value=(".*")$/s.exec(line)?.[1];
      if (quoted !== undefined) assert.equal(JSON.parse(quoted), value);
    }),
  );
});

test('levels below the chosen one are not written', () => {
  const { lines, log } = lab('warning');
  for (const level of ['error', 'warning', 'info', 'debug'] as const) log.log(level, level);
  assert.deepEqual(
    lines.map((line) => line.split(' ')[1]),
    ['error', 'warning'],
  );
});

test('a cause is written once a minute, with the count of what was left out', () => {
  const { lines, clock, log } = lab();
  for (let i = 0; i < 10; i++) log.limited('drop checksum', 'warning', 'drop', { why: 'checksum' });
  log.limited('drop ttl', 'warning', 'drop', { why: 'ttl' });
  clock.now += 60_000;
  log.limited('drop checksum', 'warning', 'drop', { why: 'checksum' });
  assert.deepEqual(
    lines.map((line) => line.slice(25)),
    ['warning drop why=checksum', 'warning drop why=ttl', 'warning drop why=checksum suppressed=9'],
  );
});

test('flush writes what was suppressed once its minute is over, and everything at the end', () => {
  const { lines, clock, log } = lab();
  for (let i = 0; i < 3; i++) log.limited('a', 'info', 'a', { n: i });
  log.flush();
  assert.equal(lines.length, 1);
  clock.now += 60_000;
  log.flush();
  assert.equal(lines[1]!.slice(25), 'info a n=2 suppressed=2');
  log.limited('b', 'info', 'b');
  log.limited('b', 'info', 'b');
  log.flush(true);
  assert.equal(lines[3]!.slice(25), 'info b suppressed=1');
  log.flush(true);
  assert.equal(lines.length, 4);
});

test('a clock that was set back silences no cause', () => {
  const { lines, clock, log } = lab();
  log.limited('a', 'info', 'a');
  clock.now -= 86_400_000;
  log.limited('a', 'info', 'a');
  assert.equal(lines.length, 2);
});

test('endless causes do not grow the memory without end and lose no count', () => {
  const { lines, log } = lab();
  for (let i = 0; i < 5_000; i++) {
    log.limited(`cause ${i}`, 'info', 'c');
    log.limited(`cause ${i}`, 'info', 'c');
  }
  log.flush(true);
  assert.equal(lines.length, 10_000);
});
