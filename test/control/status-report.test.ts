import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildStatus, type StatusReport } from '../../core/control/status-report.ts';
import { renderStatus } from '../../core/control/status-table.ts';
import { displayWidth } from '../../core/control/text-table.ts';
import { sources, withBfd } from './sample-report.ts';

const plain = { width: Number.POSITIVE_INFINITY, colour: false };

test('the report survives JSON unchanged', () => {
  const report = buildStatus(sources());
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test('the report tells of each virtual router what configuration, engine and trackers know', () => {
  const report = buildStatus(sources());
  assert.deepEqual(
    [report.kind, report.version, report.generated],
    ['vipkeeper-status', 1, '2026-11-21T10:23:42.000Z'],
  );
  const [first, second] = report.instances;
  assert.deepEqual(
    [first!.state, first!.since, first!.forMs, first!.why, first!.interface, first!.vrid, first!.group],
    ['MASTER', '2026-11-21T10:20:30.000Z', 192_000, 'master-timeout', 'eth0', 51, null],
  );
  assert.deepEqual(first!.priority, { base: 101, effective: 91, checks: -10 });
  assert.deepEqual(first!.peers, [{ address: '10.0.0.2', priority: 90, ageMs: 400 }]);
  assert.deepEqual(
    first!.scripts.map(({ name, condition, contribution }) => [name, condition, contribution]),
    [
      ['chk_app', 'failed', -10],
      ['chk_net', 'waiting', 0],
      ['chk_gone', 'disabled', 0],
    ],
  );
  assert.deepEqual([second!.family, second!.vrrpVersion, second!.group], [6, 3, 'G']);
  assert.deepEqual(second!.timers, { downMs: 3_609, skewMs: 609 });
});

test('a virtual router that left the configuration is still shown', () => {
  const report = buildStatus({ ...sources(), config: { instances: [], groups: [] } });
  assert.equal(report.instances[0]!.interface, null);
  assert.match(renderStatus(report, plain), /where +no longer in the configuration/);
});

test('the table reads like this', () => {
  assert.equal(
    renderStatus(buildStatus(sources()), plain),
    `vipkeeper 0.1.0, pid 4711, up 3d04h, 2 virtual routers: 1 MASTER, 1 FAULT
configuration /etc/keepalived/keepalived.conf, read 2026-11-20T10:23:42.000Z

VI_1  MASTER  for 3m12s, since 2026-11-21T10:20:30.000Z
  why        master-timeout: nothing heard from 10.0.0.2 for 3.6 s
  where      eth0, IPv4, VRID 51, VRRPv2, a silent master counts as down after 3.6s
  priority   91 (base 101 - 10 by checks)
  addresses  10.0.0.99/24 on eth0, held by the kernel: yes
             10.0.0.98/32 on eth0, held by the kernel: no, although MASTER
  peers      10.0.0.2, priority 90, heard 0.4s ago
  scripts    chk_app: FAILED (-10 of -10): exit code 1: sample.py died, ran 0.4s ago
             chk_net: waiting (+0 of +20, reverse)
             chk_gone: disabled (+0 of -10): /bin/chk_gone: not found

VI_2  FAULT  for 3m12s, since 2026-11-21T10:20:30.000Z
  why        fault
  faults     script chk_db failed: exit code 1
  where      eth1, IPv6, VRID 52, VRRPv3, sync group G, a silent master counts as down after 3.6s
  priority   100 (base 100 + 0 by checks)
  addresses  2001:db8::99/64 on eth1, held by the kernel: yes, although FAULT
  peers      fe80::2, priority 90 (master), heard 0.4s ago
  scripts    chk_db: ok (a failure is a fault), ran 0.4s ago
`,
  );
});

test('no line is wider than the terminal', () => {
  const report = buildStatus(sources());
  for (const width of [40, 60, 80, 132])
    for (const line of renderStatus(report, { width, colour: false }).split('\n'))
      assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
});

test('colours change nothing but the colours', () => {
  const report = buildStatus(sources());
  const coloured = renderStatus(report, { width: 70, colour: true });
  assert.ok(coloured.includes('\u001b[32mMASTER\u001b[0m'));
  assert.ok(coloured.includes('\u001b[31mFAULT\u001b[0m'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
  assert.equal(coloured.replace(/\u001b\[\d*m/g, ''), renderStatus(report, { width: 70, colour: false }));
});

test('a refused reload is shown', () => {
  const from = sources();
  const report = buildStatus({ ...from, process: { ...from.process, reloadError: 'keepalived.conf:3:1: error' } });
  assert.match(
    renderStatus(report, plain),
    /latest reload was refused, the old configuration stays: keepalived.conf:3:1: error/,
  );
});

test('nothing that a peer or a program says can steer the terminal', () => {
  const report = JSON.parse(JSON.stringify(buildStatus(sources()))) as StatusReport;
  const hostile = '\u001b]0;owned\u0007\r\n\u202e';
  const text = renderStatus(
    {
      ...report,
      instances: report.instances.map((one) => ({ ...one, detail: hostile, faults: [hostile], name: hostile })),
    },
    plain,
  );
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
});

test('without virtual routers it says so', () => {
  assert.match(renderStatus(buildStatus({ ...sources(), snapshots: [] }), plain), /no virtual routers/);
});

test('a BFD session is shown by itself, and by the virtual router that tracks it', () => {
  const text = renderStatus(buildStatus(withBfd()), plain);
  assert.match(text, /^ {2}watched +bfd gw: failed \(-20 by -20\): 10\.0\.0\.254: control detection time expired$/m);
  assert.ok(
    text.endsWith(`
BFD gw  Down  for 3.0s, since 2026-11-21T10:23:39.000Z
  neighbor  10.0.0.254, heard 3.0s ago
  why       control detection time expired; the neighbor is Down: no diagnostic
  timers    a packet each 1000 ms, down after 50 ms of silence
  packets   120 sent, 100 received, 4 dropped (ttl); 1 times up, 1 times down
`),
    text,
  );
  assert.deepEqual(
    buildStatus(withBfd()).instances.map(({ watched }) => watched.length),
    [1, 0],
  );
});
