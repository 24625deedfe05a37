// Routes and rules in the engine: when they come and go, and what their loss means for mastership. In virtual time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InstanceConfig, RouteLine, RuleLine, StaticConfig } from '../../core/config/model.ts';
import { millis, priority, seconds } from '../../core/units.ts';
import { routingEntries } from '../config/routing-entries.ts';
import { instance, virtualIp } from './instances.ts';
import { SimulatedLan, type SimulatedNode } from './simulated-lan.ts';

const routes = (...lines: readonly string[]) =>
  routingEntries('virtual_routes', lines.join('\n')).entries as readonly RouteLine[];
const rules = (...lines: readonly string[]) =>
  routingEntries('virtual_rules', lines.join('\n')).entries as readonly RuleLine[];
const A = '10.1.0.0/16 via 10.0.0.9';
const B = '10.2.0.0/16 via 192.0.2.9';
const RULE = 'from 10.1.0.0/16 table 5 priority 9';

const router = (changes: Partial<InstanceConfig> = {}): InstanceConfig =>
  instance({ interval: millis(100), routes: routes(A, B), rules: rules(RULE), ...changes });

function machine(lan: SimulatedLan, address: string, changes: Partial<InstanceConfig> = {}): SimulatedNode {
  const node = lan.add(address);
  node.configure([router(changes)]);
  return node;
}

const master = (lan: SimulatedLan, node: SimulatedNode): void =>
  assert.ok(lan.runUntil(() => node.state() === 'MASTER', seconds(60)));
const complaints = (node: SimulatedNode): readonly string[] =>
  node.events.flatMap((event) => (event.type === 'log' ? [event.text] : []));

describe('a master', () => {
  test('sets its routes, then its rules, in one batch when it has its addresses, and announces only then', () => {
    const lan = new SimulatedLan();
    const node = machine(lan, '10.0.0.1');
    const order: string[] = [];
    const set = node.routes.set.bind(node.routes);
    node.routes.set = (entries) => {
      order.push(`${node.holds('10.0.0.100')} ${node.announced.length} ${entries.length}`);
      return set(entries);
    };
    master(lan, node);
    assert.deepEqual(order[0], 'true 0 3');
    assert.deepEqual(
      node.routes.batches.findLast(([first]) => first?.startsWith('+')),
      [`+ route ${A}`, `+ route ${B}`, `+ rule ${RULE}`],
    );
    assert.ok(node.announced.length > 0);
  });

  test('that hands over removes them, behind its addresses', () => {
    const lan = new SimulatedLan();
    const node = machine(lan, '10.0.0.1');
    master(lan, node);
    const order: boolean[] = [];
    const remove = node.routes.remove.bind(node.routes);
    node.routes.remove = (entries) => {
      order.push(node.holds('10.0.0.100'));
      return remove(entries);
    };
    const rival = machine(lan, '10.0.0.2', { priority: priority(200) });
    master(lan, rival);
    lan.run(seconds(1));
    assert.equal(node.state(), 'BACKUP');
    assert.deepEqual([order, node.routes.words, rival.routes.words], [[false], [], [A, B, RULE].toSorted()]);
  });

  test('without routes asks the kernel for none', () => {
    const lan = new SimulatedLan();
    const node = machine(lan, '10.0.0.1', { routes: [], rules: [] });
    master(lan, node);
    lan.run(seconds(2));
    node.send({ type: 'stop', immediate: true });
    lan.run(seconds(2));
    assert.deepEqual(node.routes.batches, []);
  });

  test('puts back what vanished with a change of its interfaces, and stays master', () => {
    const lan = new SimulatedLan();
    const node = machine(lan, '10.0.0.1');
    master(lan, node);
    node.routes.steal(A);
    node.setLink(true);
    lan.run(millis(10));
    assert.deepEqual(node.routes.words, [A, B, RULE].toSorted());
    assert.equal(node.state(), 'MASTER');
    assert.match(complaints(node).join('\n'), /put back route 10\.1\.0\.0/);
  });

  test('whose route is refused from the beginning stays master, since the peer has the same file', () => {
    const lan = new SimulatedLan();
    const node = lan.add('10.0.0.1');
    node.routes.refuses = ({ words }) => (words.join(' ') === B ? 'no way to it' : undefined);
    node.configure([router()]);
    master(lan, node);
    lan.run(seconds(20));
    assert.equal(node.state(), 'MASTER');
    assert.deepEqual(
      complaints(node).filter((text) => text.includes('no way')),
      ['VI_1: no way to it'],
    );
    node.routes.refuses = () => undefined;
    lan.run(seconds(31));
    assert.deepEqual(node.routes.words, [A, B, RULE].toSorted());
  });
});

describe('a route that was there and cannot be put back', () => {
  function broken(line: string) {
    const lan = new SimulatedLan();
    const node = machine(lan, '10.0.0.1');
    master(lan, node);
    node.routes.steal(line);
    node.routes.refuses = ({ words }) => (words.join(' ') === line ? 'no way to it' : undefined);
    node.setLink(true);
    lan.run(millis(10));
    assert.equal(node.state(), 'FAULT');
    assert.ok(!node.holds('10.0.0.100'));
    assert.deepEqual(node.routes.words, []);
    return { lan, node };
  }

  test('is a fault until it is possible again', () => {
    const { lan, node } = broken(B);
    lan.run(seconds(100));
    assert.equal(node.state(), 'FAULT');
    node.routes.refuses = () => undefined;
    assert.ok(lan.runUntil(() => node.state() === 'MASTER', seconds(32)));
    assert.deepEqual(node.routes.words, [A, B, RULE].toSorted());
  });

  test('and leans on the address of the router is tried again with the address', () => {
    const { lan, node } = broken(A);
    assert.ok(lan.runUntil(() => node.state() === 'MASTER', seconds(32)));
    assert.equal(node.state(), 'MASTER');
  });

  test('keeps its router away for half a minute, though the kernel tells of other changes meanwhile', () => {
    const { lan, node } = broken(A);
    node.routes.refuses = () => undefined;
    lan.run(seconds(5));
    node.setLink(true);
    assert.ok(!lan.runUntil(() => node.state() !== 'FAULT', seconds(24)));
    assert.ok(lan.runUntil(() => node.state() !== 'FAULT', seconds(2)));
  });

  test('is forgotten by a new configuration', () => {
    const { lan, node } = broken(B);
    node.configure([router({ routes: routes(A) })]);
    assert.ok(lan.runUntil(() => node.state() === 'MASTER', seconds(5)));
    assert.deepEqual(node.routes.words, [A, RULE].toSorted());
  });
});

describe('the static part of the file', () => {
  const statics = (changes: Partial<StaticConfig> = {}): StaticConfig => ({
    addresses: [{ ...virtualIp('198.51.100.1'), group: 'g' }],
    routes: routes('10.5.0.0/16 dev eth0 track_group g'),
    rules: [],
    ...changes,
  });
  const trackGroups = [{ name: 'g', members: ['VI_1'] }];

  test('is there before any router starts, stays over changes and goes at the end', () => {
    const lan = new SimulatedLan();
    const node = lan.add('10.0.0.1');
    node.configure([router()], { statics: statics(), trackGroups });
    lan.run(millis(1));
    assert.deepEqual(node.routes.batches[0], ['+ route 10.5.0.0/16 dev eth0']);
    assert.ok(node.holds('198.51.100.1'));
    master(lan, node);
    const before = node.routes.batches.length;
    node.configure([router()], { statics: statics(), trackGroups });
    lan.run(seconds(1));
    const later = node.routes.batches.slice(before).flat();
    assert.ok(!later.some((text) => text.startsWith('-')), later.join());
    node.configure([router()], { statics: statics({ addresses: [virtualIp('198.51.100.2')], routes: [] }) });
    lan.run(millis(10));
    assert.deepEqual([node.holds('198.51.100.1'), node.holds('198.51.100.2')], [false, true]);
    assert.ok(!node.routes.words.includes('10.5.0.0/16 dev eth0'));
    node.send({ type: 'stop', immediate: true });
    lan.run(seconds(1));
    assert.deepEqual([node.holds('198.51.100.2'), node.routes.words], [false, []]);
  });

  test('keeps the instances of its track_group out of mastership while something is missing', () => {
    const lan = new SimulatedLan();
    const node = lan.add('10.0.0.1');
    node.routes.refuses = ({ words }) => (words[0] === '10.5.0.0/16' ? 'no such thing' : undefined);
    node.configure([router(), router({ name: 'VI_2', vrid: 52 as InstanceConfig['vrid'], vips: [] })], {
      statics: statics(),
      trackGroups,
    });
    lan.run(seconds(5));
    assert.deepEqual([node.state(), node.state('VI_2')], ['FAULT', 'MASTER']);
    node.routes.refuses = () => undefined;
    assert.ok(lan.runUntil(() => node.state() === 'MASTER', seconds(40)));
  });

  test('an address whose settings change is there afterwards', () => {
    const lan = new SimulatedLan();
    const node = lan.add('10.0.0.1');
    node.configure([router()], { statics: statics() });
    lan.run(millis(10));
    node.configure([router()], {
      statics: statics({ addresses: [{ ...virtualIp('198.51.100.1'), label: 'eth0:1' }] }),
    });
    lan.run(millis(10));
    assert.ok(node.holds('198.51.100.1'));
  });

  test('its address is put back when somebody removes it', () => {
    const lan = new SimulatedLan();
    const node = lan.add('10.0.0.1');
    node.configure([router()], { statics: statics(), trackGroups });
    master(lan, node);
    node.steal('198.51.100.1');
    lan.run(millis(10));
    assert.ok(node.holds('198.51.100.1'));
    assert.equal(node.state(), 'MASTER');
  });
});
