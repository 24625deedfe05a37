// systemd's side of the notification protocol, as a real socket.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as linux from '../../core/system/linux.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { ServiceNotifier } from '../../core/system/sd-notify.ts';
import { unixSockaddr } from '../../core/system/sockaddr.ts';

const native = loadNative();

function manager(path: string) {
  const handle = native.socket(linux.AF_UNIX, linux.SOCK_DGRAM, 0);
  native.bind(handle, unixSockaddr(path)!);
  const buffer = new Uint8Array(4096);
  return {
    handle,
    next(): string | undefined {
      const length = native.recv(handle, buffer);
      return length < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, length));
    },
    [Symbol.dispose]: () => native.close(handle),
  };
}

function conversation(path: string): void {
  using systemd = manager(path);
  const notifier = new ServiceNotifier(native, { NOTIFY_SOCKET: path }, 1);
  assert.equal(notifier.enabled, true);
  const before = Math.floor(native.monotonic());
  const calls = [
    notifier.ready('3 instances'),
    notifier.status('one\ntwo\0three'),
    notifier.watchdog(),
    notifier.reloading(),
    notifier.ready(),
    notifier.stopping(),
  ];
  assert.deepEqual(calls, [true, true, true, true, true, true]);
  assert.equal(systemd.next(), 'READY=1\nSTATUS=3 instances\n');
  assert.equal(systemd.next(), 'STATUS=one two three\n');
  assert.equal(systemd.next(), 'WATCHDOG=1\n');
  const usec = /^RELOADING=1\nMONOTONIC_USEC=(\d+)\n$/.exec(systemd.next()!)![1];
  assert.ok(Number(usec) >= before && Number(usec) <= native.monotonic());
  assert.equal(systemd.next(), 'READY=1\n');
  assert.equal(systemd.next(), 'STOPPING=1\n');
  assert.equal(systemd.next(), undefined);
}

test('systemd is told over a socket with a path', () => {
  const directory = mkdtempSync(join(tmpdir(), 'vipkeeper-notify-'));
  try {
    conversation(join(directory, 'notify'));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('systemd is told over an abstract socket', () => conversation(`@vipkeeper-test-${process.pid}`));

test('without systemd, with an address that is none and with nobody listening, nothing happens', () => {
  const addresses = [
    undefined,
    '',
    '/',
    '@',
    'relative',
    'vsock:2:1',
    `/${'x'.repeat(107)}`,
    '/a\0b',
    '/no/such/socket',
  ];
  for (const NOTIFY_SOCKET of addresses) {
    const notifier = new ServiceNotifier(native, { NOTIFY_SOCKET }, 1);
    assert.equal(notifier.ready(), false);
    assert.equal(notifier.watchdog(), false);
  }
});

test('a manager that does not read does not hold us up', () => {
  const path = `@vipkeeper-full-${process.pid}`;
  using systemd = manager(path);
  const notifier = new ServiceNotifier(native, { NOTIFY_SOCKET: path }, 1);
  let sent = 0;
  while (sent < 100_000 && notifier.watchdog()) sent++;
  assert.ok(sent < 100_000);
  assert.equal(systemd.next(), 'WATCHDOG=1\n');
  assert.equal(notifier.watchdog(), true);
});

test('a status is cut where systemd would not show it any more', () => {
  const path = `@vipkeeper-long-${process.pid}`;
  using systemd = manager(path);
  new ServiceNotifier(native, { NOTIFY_SOCKET: path }, 1).status('x'.repeat(1_000_000));
  assert.equal(systemd.next()!.length, 'STATUS='.length + 512 + 1);
});

test('the watchdog counts only when it is meant for this process', () => {
  const NOTIFY_SOCKET = '/run/systemd/notify';
  const intervalOf = (environment: Record<string, string>) =>
    new ServiceNotifier(native, { NOTIFY_SOCKET, ...environment }, 42).watchdogInterval;
  assert.equal(intervalOf({ WATCHDOG_USEC: '30000000' }), 30_000_000);
  assert.equal(intervalOf({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '42' }), 30_000_000);
  assert.equal(intervalOf({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '43' }), undefined);
  for (const WATCHDOG_USEC of ['0', '-1', '', 'x', '1e400', '1.5'])
    assert.equal(intervalOf({ WATCHDOG_USEC }), undefined);
  assert.equal(intervalOf({}), undefined);
});
