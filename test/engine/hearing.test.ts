// Routers that must not be master yet: whoever has no socket or is in no group must not take silence for a master that died.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ip, type MacAddress } from '../../core/net/address.ts';
import { gratuitousArp } from '../../core/net/arp.ts';
import { millis, priority, seconds, vrid } from '../../core/units.ts';
import { instance, virtualIp } from './instances.ts';
import { SimulatedLan } from './simulated-lan.ts';

const at = (group: string) => ({ mode: 'multicast', group: ip(group), source: undefined }) as const;

function pair() {
  const lan = new SimulatedLan();
  return { lan, a: lan.add('10.0.0.1'), b: lan.add('10.0.0.2') };
}

test('a router whose socket cannot be opened stays in FAULT, and begins when it can', () => {
  const { lan, a, b } = pair();
  a.configure([instance()]);
  b.noSocket = 'EMFILE';
  b.configure([instance({ priority: priority(200) })]);
  lan.run(seconds(20));
  assert.deepEqual([a.state(), b.state()], ['MASTER', 'FAULT']);
  assert.equal(b.holds('10.0.0.100'), false);
  assert.match(b.transitions.at(-1)!.detail, /cannot listen on eth0: EMFILE/);
  assert.equal(b.events.filter((event) => event.type === 'log' && event.level === 'error').length, 1);
  b.noSocket = undefined;
  assert.ok(lan.runUntil(() => b.state() === 'MASTER', seconds(6)));
  lan.run(seconds(1));
  assert.equal(a.state(), 'BACKUP');
});

test('a group that cannot be joined keeps away the routers that need it, and no others', () => {
  const { lan, a } = pair();
  a.joinable = (group) => group === '224.0.0.18';
  const other = instance({
    name: 'VI_2',
    vrid: vrid(52),
    vips: [virtualIp('10.0.0.101')],
    transport: at('224.0.0.19'),
  });
  a.configure([instance()]);
  lan.run(seconds(5));
  a.configure([instance(), other]);
  lan.run(seconds(20));
  assert.deepEqual([a.state('VI_1'), a.state('VI_2')], ['MASTER', 'FAULT']);
  assert.equal(a.transitions.filter(({ instance: name }) => name === 'VI_1').length, 2);
  a.joinable = () => true;
  assert.ok(lan.runUntil(() => a.state('VI_2') === 'MASTER', seconds(6)));
});

test('a reload that moves routers to another group moves their ears, too', () => {
  const { lan, a, b } = pair();
  for (const node of [a, b]) node.configure([instance()]);
  lan.run(seconds(10));
  for (const node of [a, b]) node.configure([instance({ transport: at('224.0.0.19') })]);
  lan.run(seconds(20));
  assert.deepEqual([a.holds('10.0.0.100'), b.holds('10.0.0.100')].filter(Boolean).length, 1);
  assert.deepEqual([...a.groups], ['224.0.0.19']);
});

test('where the poller has no place left, an interface that comes back ends nothing', () => {
  const { lan, a } = pair();
  a.configure([instance()]);
  lan.run(seconds(20));
  assert.equal(a.state(), 'MASTER');
  a.mostPolled = 4;
  a.setLink(false);
  lan.run(seconds(1));
  a.setLink(true);
  lan.run(seconds(60));
  assert.equal(
    a.events.find((event) => event.type === 'failed'),
    undefined,
  );
  assert.equal(a.state(), 'MASTER');
});

test('a conflict tap that has rested and finds its place taken goes on resting', () => {
  const { lan, a } = pair();
  a.configure([instance()]);
  lan.run(seconds(20));
  a.frame(gratuitousArp('02:00:00:00:00:66' as MacAddress, ip('10.0.0.100')));
  lan.run(millis(1));
  a.mostPolled = 3;
  lan.run(seconds(1));
  assert.equal(a.state(), 'MASTER');
  a.mostPolled = 256;
  lan.run(seconds(1));
  a.frame(gratuitousArp('02:00:00:00:00:67' as MacAddress, ip('10.0.0.100')));
  const before = a.announced.length;
  lan.run(seconds(2));
  assert.equal(a.announced.length, before + 1, 'the rival does not answer');
});

test('the addresses of macvlans are watched by one ear, below them', () => {
  const { lan, a } = pair();
  const own = { kind: 'macvlan', group: undefined, forAddresses: false, sendBelow: false } as const;
  a.configure(
    [1, 2, 3].map((id) =>
      instance({
        name: `VI_${id}`,
        vrid: vrid(id),
        virtualInterface: { ...own, name: `vrrp.${id}`, mac: `00:00:5e:00:01:0${id}` },
        vips: [{ ...virtualIp(`10.0.0.10${id}`), device: `vrrp.${id}` }],
      }),
    ),
  );
  lan.run(millis(1));
  assert.deepEqual(
    [...a.taps].map(({ spec }) => spec.interface),
    ['eth0'],
  );
});

test('what a reload says on the old socket is not lost when it opens another one', () => {
  const { lan, a } = pair();
  a.configure([instance({ priority: priority(150) })]);
  lan.run(seconds(10));
  const own = { kind: 'macvlan', group: undefined, forAddresses: false, sendBelow: true } as const;
  const virtualInterface = { ...own, name: 'vrrp.52', mac: '00:00:5e:00:01:34' };
  const before = lan.sent.length;
  a.configure([instance({ priority: priority(90) }), instance({ name: 'VI_2', vrid: vrid(52), virtualInterface })]);
  lan.run(millis(1));
  assert.deepEqual(
    lan.sent.slice(before).map(({ priority: said }) => said),
    [90],
  );
});

test('a router that is added while the engine is fenced waits for the agent, too', () => {
  const { lan, a } = pair();
  a.configure([instance()]);
  lan.run(seconds(10));
  a.agentHangs = true;
  assert.ok(lan.runUntil(() => a.state() === 'FAULT', seconds(10)));
  const owner = instance({ name: 'VI_2', vrid: vrid(52), priority: priority(255), vips: [virtualIp('10.0.0.101')] });
  a.configure([instance(), owner]);
  lan.run(seconds(10));
  assert.equal(a.state('VI_2'), 'FAULT');
  assert.equal(a.holds('10.0.0.101'), false);
  a.agentHangs = false;
  a.send({ type: 'resume', epoch: 1 });
  assert.ok(lan.runUntil(() => a.state('VI_2') === 'MASTER', seconds(5)));
});

test('a bug that ends the engine leaves no static address and no open tap', () => {
  const { lan, a } = pair();
  const statics = { addresses: [virtualIp('198.51.100.2')], routes: [], rules: [] };
  a.configure([instance()], { statics });
  lan.run(seconds(10));
  assert.ok(a.holds('198.51.100.2'));
  a.failNext();
  a.engine.run();
  assert.equal(a.holds('198.51.100.2'), false);
  assert.equal(a.taps.size, 0);
  assert.ok(a.events.some((event) => event.type === 'failed'));
});
