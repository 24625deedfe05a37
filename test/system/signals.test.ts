// Real-time signals, which Node cannot listen to: caught in C, counted, and told on the main thread. Each in a process of
// its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { loadNative } from '../../core/system/native/index.ts';

const SYSTEM = new URL('../../core/system/', import.meta.url).href;

function run(body: string): unknown {
  const source = `
    import { loadNative } from '${SYSTEM}native/index.ts';
    import { onRealtimeSignal, prepareProcess } from '${SYSTEM}process.ts';
    import { spawnSync } from 'node:child_process';
    import { Worker } from 'node:worker_threads';
    import { once } from 'node:events';
    const native = loadNative();
    const heard = [];
    const next = async (n) => { while (heard.length < n) await new Promise((r) => setTimeout(r, 5)); };
    prepareProcess(native);
    const refusals = onRealtimeSignal(native, [36, 63], (signal) => heard.push(signal));
    const self = (signal) => process.kill(process.pid, signal);
    ${body}
  `;
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(done.signal, null, `killed by ${done.signal}`);
  assert.equal(done.status, 0, done.stderr);
  return JSON.parse(done.stdout);
}

test('36 and 63 are heard, each as what it is', () => {
  const got = run(`
    self(36); await next(1); self(63); await next(2);
    console.log(JSON.stringify([refusals, heard])); process.exit(0);`);
  assert.deepEqual(got, [[], [36, 63]]);
});

test('a thousand at once neither kill nor are all forgotten', () => {
  const got = run(`
    for (let i = 0; i < 1000; i++) { self(36); self(63); }
    await next(2);
    console.log(JSON.stringify([heard.includes(36), heard.includes(63), native.takeSignal(36)])); process.exit(0);`);
  assert.deepEqual(got, [true, true, 0]);
});

test('they are heard while a worker blocks, and come from outside as well', () => {
  const got = run(`
    const worker = new Worker('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)', { eval: true });
    await once(worker, 'online');
    spawnSync('/bin/sh', ['-c', 'kill -36 ' + process.pid]);
    await next(1);
    console.log(JSON.stringify(heard)); process.exit(0);`);
  assert.deepEqual(got, [36]);
});

test('SIGIO from a stranger means nothing', () => {
  const got = run(`
    self('SIGIO'); await new Promise((r) => setTimeout(r, 50)); self(63); await next(1);
    console.log(JSON.stringify(heard)); process.exit(0);`);
  assert.deepEqual(got, [63]);
});

test('children start with these signals as they should be: neither ignored nor caught', () => {
  const got = run(`
    const { stdout } = spawnSync('/bin/cat', ['/proc/self/status'], { encoding: 'utf8' });
    const mask = (name) => BigInt('0x' + new RegExp(name + ':\\\\s*(\\\\w+)').exec(stdout)[1]);
    const both = (1n << 35n) | (1n << 62n);
    console.log(JSON.stringify(['SigIgn', 'SigCgt', 'SigBlk'].map((name) => Number(mask(name) & both)))); process.exit(0);`);
  assert.deepEqual(got, [0, 0, 0]);
});

test('only real-time signals that the C library leaves can be caught', () => {
  const native = loadNative();
  for (const signal of [-1, 0, 1, 9, 10, 15, 31, 32, 33, 34, 65, 2 ** 31, 35.5, Number.NaN]) {
    assert.throws(() => native.catchSignal(signal), RangeError, `caught ${signal}`);
    assert.throws(() => native.takeSignal(signal), RangeError, `took ${signal}`);
  }
  for (const wrong of ['36', undefined, null, {}, 36n])
    assert.throws(() => native.catchSignal(wrong as unknown as number), TypeError);
});
