// Two halves of a pair: what is told, and that nothing is told of halves that fit. The wording is in test/config/golden.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareHalves, type Half } from '../../core/config/against.ts';
import { Report } from '../../core/config/diagnostics.ts';
import { load } from '../../core/config/load.ts';
import { outlineOf } from '../../core/config/outline.ts';

function half(file: string, text: string): Half {
  const source = { file, text };
  const { configuration, diagnostics } = load(source, { hostName: 'h' });
  assert.ok(configuration, JSON.stringify(diagnostics));
  return { configuration, outline: outlineOf(source, { hostName: 'h' }) };
}

/** Codes of both directions: here against there, and there against here. */
function codes(here: string, there: string): readonly string[] {
  return [
    [here, there],
    [there, here],
  ].map(([a, b]) => {
    const report = new Report();
    compareHalves(half('a', a!), half('b', b!), report);
    return report
      .sorted()
      .map(({ code }) => code)
      .join(' ');
  });
}

const SCRIPTS =
  'vrrp_script s {\n script /bin/true\n weight -60\n}\nvrrp_script t {\n script /bin/true\n weight -30\n}\n';
const one = (priority: number, body = '', name = 'V', vrid = 7): string =>
  `vrrp_instance ${name} {\n interface e\n virtual_router_id ${vrid}\n priority ${priority}\n virtual_ipaddress {\n 10.0.0.${vrid}\n }\n${body}\n}\n`;
const track = (...lines: readonly string[]): string => `track_script {\n${lines.join('\n')}\n}`;
const peer = (source: string, ...peers: readonly string[]): string =>
  `${source === '' ? '' : `unicast_src_ip ${source}\n`}unicast_peer {\n${peers.join('\n')}\n}`;

describe('halves of a pair', () => {
  for (const [what, here, there, expected] of [
    ['that fit', one(150), one(100), ['', '']],
    ['under other names', one(150, '', 'A'), one(100, '', 'B'), ['', '']],
    ['equal priorities', one(100), one(100), ['W106', 'W106']],
    ['owner and backup', one(255), one(100), ['', '']],
    ['two owners', one(255), one(255), ['W113', 'W113']],
    ['another number', one(150), one(100, '', 'V', 8), ['W101 W105 W105', 'W101 W105 W105']],
    ['another number and name', one(150), one(100, '', 'W', 8), ['W100 W100', 'W100 W100']],
    ['another version', one(150, 'version 3'), one(100), ['W102', 'W102']],
    ['another interval', one(150, 'advert_int 2'), one(100), ['W103', 'W103']],
    ['nopreempt on one BACKUP', one(150, 'nopreempt'), one(100), ['', '']],
    [
      'MASTER and nopreempt on both',
      one(150, 'state MASTER\nnopreempt'),
      one(100, 'state MASTER\nnopreempt'),
      ['W111', 'W111'],
    ],
    ['unicast that fits', one(150, peer('10.1.0.1', '10.1.0.2')), one(100, peer('10.1.0.2', '10.1.0.1')), ['', '']],
    [
      'a peer that is not listed',
      one(150, peer('10.1.0.1', '10.1.0.2')),
      one(100, peer('10.1.0.2', '10.1.0.3')),
      ['W109', 'W109'],
    ],
    [
      'the same source on both',
      one(150, peer('10.1.0.1', '10.1.0.2')),
      one(100, peer('10.1.0.1', '10.1.0.2')),
      ['W109', 'W109'],
    ],
    [
      'a source that is not said',
      one(150, peer('', '10.1.0.2')),
      one(100, peer('10.1.0.2', '10.1.0.1')),
      ['I101', 'I101'],
    ],
    ['unicast and multicast', one(150, peer('10.1.0.1', '10.1.0.2')), one(100), ['W108', 'W108']],
    ['another group address', one(150, 'mcast_dst_ip 224.0.0.9'), one(100), ['W110', 'W110']],
  ] as const)
    test(what, () => assert.deepEqual(codes(here, there), expected));

  test('a password is compared and not shown', () => {
    const guarded = (pass: string, priority: number) =>
      one(priority, `authentication {\n auth_type PASS\n auth_pass ${pass}\n}`);
    assert.deepEqual(codes(guarded('left', 150), guarded('right', 100)), ['W104', 'W104']);
    assert.deepEqual(codes(guarded('samelong1', 150), guarded('samelong2', 100)), ['', '']);
    const report = new Report();
    compareHalves(half('a', guarded('left', 150)), half('b', guarded('right', 100)), report);
    assert.doesNotMatch(JSON.stringify(report.sorted()), /left|right/);
  });
  test('address lists are compared as sets', () => {
    const list = (priority: number, ...last: readonly number[]) =>
      one(priority, `virtual_ipaddress {\n${last.map((n) => `10.0.1.${n}/24`).join('\n')}\n}`);
    assert.deepEqual(codes(list(150, 1, 2), list(100, 2, 1)), ['', '']);
    assert.deepEqual(codes(list(150, 1, 2), list(100, 2)), ['W105', 'W105']);
  });
  test('a sync group on one side is told once', () => {
    const group = 'vrrp_sync_group G {\n group {\n V\n W\n }\n}\n';
    const both = (priority: number) => one(priority) + one(priority, '', 'W', 8);
    assert.deepEqual(codes(both(150) + group, both(100)), ['W112', 'W112']);
    assert.deepEqual(codes(both(150) + group, both(100) + group), ['', '']);
  });
});

describe('priorities that never cross', () => {
  for (const [what, here, there, expected] of [
    ['a weight larger than the gap', one(150, track('s')), one(100, track('s')), ''],
    ['a weight smaller than the gap', one(150, track('t')), one(100, track('t')), 'W107'],
    ['a weight equal to the gap', one(130, track('t')), one(100), 'W107'],
    ['a positive weight that both have', one(150, track('s weight 2')), one(100, track('s weight 2')), 'W107'],
    ['a positive weight that lifts the backup', one(101, track('s weight 2')), one(100, track('s weight 2')), ''],
    ['two weights that do it together', one(150, track('s weight -30', 't')), one(100), 'I100'],
    ['two weights, one of which is enough', one(150, track('s', 't')), one(100), ''],
    ['weight 0 is a fault and no weight', one(150, track('s weight 0')), one(100), ''],
    ['reverse: the priority falls while the script succeeds', one(150, track('s weight 60 reverse')), one(100), ''],
    ['the floor of 1 is a priority, too', one(3, track('s')), one(1), 'W107'],
    ['the trackers of the other machine', one(100), one(150, track('t')), 'W107'],
  ] as const)
    test(what, () => {
      assert.deepEqual(codes(SCRIPTS + here, SCRIPTS + there), [expected, expected]);
    });
});
