// The log in keepalived's phrases: what people's rules match must be there, letter for letter.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Log, type LogFields } from '../../core/agent/log.ts';
import { logFormatter } from '../../core/agent/log-format.ts';
import { keepalivedLines } from '../../core/agent/log-keepalived.ts';

const says = (event: string, fields: LogFields): readonly string[] => keepalivedLines('info', event, fields);
const transition = (from: string, to: string, why: string, detail = '') =>
  says('transition', { instance: 'VI_1', from, to, why, detail, priority: 100 });

describe('keepalived’s phrases', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['start', transition('INIT', 'BACKUP', 'startup'), ['(VI_1) Entering BACKUP STATE (init)']],
    [
      'takeover',
      transition('BACKUP', 'MASTER', 'master-timeout'),
      ['(VI_1) Receive advertisement timeout', '(VI_1) Entering MASTER STATE', '(VI_1) setting VIPs.'],
    ],
    [
      'failure',
      transition('MASTER', 'FAULT', 'fault', 'interface eth0 is down'),
      ['(VI_1) entering FAULT state (interface eth0 is down)', '(VI_1) Entering FAULT STATE', '(VI_1) removing VIPs.'],
    ],
    [
      'a better master',
      transition('MASTER', 'BACKUP', 'higher-priority', '192.0.2.2 has priority 150'),
      [
        '(VI_1) Master received advert from 192.0.2.2 with higher priority 150, ours 100',
        '(VI_1) Entering BACKUP STATE',
        '(VI_1) removing VIPs.',
      ],
    ],
    ['stop', transition('MASTER', 'LEAVING', 'shutdown'), ['(VI_1) sent 0 priority']],
    [
      'the wait for a first result, which is no FAULT there',
      transition('INIT', 'FAULT', 'fault', 'script chk is waiting for its first result'),
      [],
    ],
    [
      'group',
      says('group-transition', { group: 'G', from: 'BACKUP', to: 'MASTER' }),
      ['VRRP_Group(G) Syncing instances to MASTER state'],
    ],
    ['check up', says('check', { script: 'chk', up: true }), ['VRRP_Script(chk) succeeded']],
    [
      'check down',
      says('check', { script: 'chk', up: false, detail: 'exit code 1' }),
      ['VRRP_Script(chk) failed (exited with status 1)'],
    ],
    [
      'check late',
      says('check', { script: 'chk', up: false, detail: 'timed out after 2 s' }),
      ['VRRP_Script(chk) failed (timed_out)'],
    ],
    [
      'unknown keyword',
      says('config', {
        at: '/etc/k.conf:12:3',
        code: 'W010',
        detail: 'unknown keyword nosuch in vrrp_instance; ignored',
      }),
      ["(/etc/k.conf: Line 12) Unknown keyword 'nosuch'"],
    ],
    [
      'another finding',
      says('config', { at: '/etc/k.conf:3:1', code: 'W042', detail: 'the password is cut' }),
      ['(/etc/k.conf: Line 3) the password is cut'],
    ],
    [
      'unsafe and disabled',
      says('script', {
        detail: 'Disabling track script chk: unsafe permissions found for /x/y: /x is writable by others',
      }),
      ["Unsafe permissions found for script '/x/y' - disabling.", 'Disabling track script chk due to insecure'],
    ],
    ['dump', says('dumped', { what: 'json', pid: 7 }), ['Printing VRRP as json for process(7) on signal']],
    ['no phrase of theirs', says('stall', { seconds: 4 }), ['info stall seconds=4']],
  ];
  for (const [what, lines, expected] of cases) test(what, () => assert.deepEqual(lines, expected));

  test('what a file or program says makes no second line', () => {
    const lines = says('config', { at: 'f:1:1', code: 'W042', detail: 'a\n(VI_1) Entering MASTER STATE\u001b[2J' });
    assert.deepEqual(lines, ['(f: Line 1) a (VI_1) Entering MASTER STATE [2J']);
  });
});

test('a changed priority is told with the one before it', () => {
  const memory = new Map<string, string>();
  const tell = (event: string, fields: LogFields) =>
    keepalivedLines('info', event, { instance: 'VI_1', ...fields }, memory);
  tell('transition', { from: 'INIT', to: 'BACKUP', why: 'startup', priority: 101 });
  assert.deepEqual(tell('priority', { priority: 91 }), ['(VI_1) Changing effective priority from 101 to 91']);
  assert.deepEqual(tell('priority', { priority: 101 }), ['(VI_1) Changing effective priority from 91 to 101']);
});

test('lines begin with the time as ctime(3) writes it', () => {
  const lines: string[] = [];
  const now = new Date(2026, 10, 1, 8, 7, 6).getTime();
  new Log({ sink: (line) => lines.push(line), now: () => now, format: logFormatter('keepalived') }).log(
    'info',
    'running',
  );
  assert.deepEqual(lines, ['Sun Nov  1 08:07:06 2026: Startup complete']);
});

test('JSON is one object a line, whatever is in it', () => {
  const lines: string[] = [];
  const log = new Log({ sink: (line) => lines.push(line), now: () => 0, format: logFormatter('json') });
  log.log('warning', 'check', { script: 'a\nb', up: false, detail: undefined });
  assert.equal(lines.length, 1);
  assert.deepEqual(JSON.parse(lines[0]!), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'warning',
    event: 'check',
    script: 'a\nb',
    up: false,
  });
});
