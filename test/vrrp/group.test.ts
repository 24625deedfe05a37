import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type GroupOrder, SyncGroup } from '../../core/vrrp/group.ts';
import type { Standing } from '../../core/vrrp/types.ts';

const said = (orders: readonly GroupOrder[]): string[] =>
  orders.map(({ member, event }) => {
    if (event.type === 'group') return `${member} ${event.state}`;
    return event.type === 'fault' ? `${member} fault: ${event.why}` : `${member} ${event.type}`;
  });

/** A group whose members have reported these standings one after the other. */
function group(standings: Readonly<Record<string, Standing>>): SyncGroup {
  const made = new SyncGroup('G', Object.keys(standings));
  for (const [member, standing] of Object.entries(standings)) made.report(member, standing);
  return made;
}

test('nobody becomes MASTER before everybody is ready', () => {
  const g = group({ a: 'BACKUP', b: 'BACKUP' });
  assert.deepEqual(g.report('a', 'READY'), []);
  assert.equal(g.state, 'BACKUP');
  assert.deepEqual(said(g.report('b', 'READY')), ['a MASTER', 'b MASTER']);
  assert.equal(g.state, 'MASTER');
});

test('an order is given once', () => {
  const g = group({ a: 'READY', b: 'BACKUP' });
  assert.equal(g.report('b', 'READY').length, 2);
  assert.deepEqual(g.report('a', 'MASTER'), []);
  assert.deepEqual(g.report('b', 'MASTER'), []);
});

test('a member that is not ready any more holds the others back', () => {
  const g = group({ a: 'READY', b: 'BACKUP' });
  g.report('a', 'BACKUP');
  assert.deepEqual(g.report('b', 'READY'), []);
});

test('a member that had to yield takes the others along', () => {
  const g = group({ a: 'MASTER', b: 'MASTER', c: 'MASTER' });
  assert.deepEqual(said(g.report('b', 'BACKUP')), ['a BACKUP', 'c BACKUP']);
  assert.equal(g.state, 'BACKUP');
});

test('a member that has not begun holds the others back, but takes nobody down', () => {
  const g = new SyncGroup('G', ['a', 'b']);
  assert.equal(g.state, 'INIT');
  g.report('a', 'BACKUP');
  assert.deepEqual(g.report('a', 'READY'), []);
  const leaving = group({ a: 'MASTER', b: 'MASTER' });
  assert.deepEqual(leaving.report('b', 'LEAVING'), []);
  assert.deepEqual(leaving.report('b', 'INIT'), []);
});

test('a newcomer to a group of masters listens first; the others stay until it is ready, too', () => {
  const g = new SyncGroup('G', ['a', 'b', 'c']);
  for (const member of ['a', 'b']) g.report(member, 'MASTER');
  assert.deepEqual(g.report('c', 'BACKUP', false), []);
  assert.equal(g.state, 'MASTER');
  assert.deepEqual(said(g.report('c', 'READY', false)), ['c MASTER']);
  g.report('c', 'MASTER');
  assert.deepEqual(said(g.report('c', 'BACKUP', false)), ['a BACKUP', 'b BACKUP'], 'it is no newcomer any more');
});

test('a newcomer that hears a better master takes the others down: the group is never half', () => {
  const g = new SyncGroup('G', ['a', 'b']);
  g.report('a', 'MASTER');
  g.report('b', 'BACKUP', false);
  assert.deepEqual(said(g.report('b', 'BACKUP', true)), ['a BACKUP']);
  assert.equal(g.state, 'BACKUP');
});

test('a group of which all have ended is in INIT, whatever ailed it', () => {
  const g = group({ a: 'MASTER', b: 'MASTER' });
  g.fault('a', 'eth0 is down');
  for (const member of ['a', 'b']) g.report(member, 'INIT');
  assert.equal(g.state, 'INIT');
});

test('a fault of one is the fault of all', () => {
  const g = group({ a: 'MASTER', b: 'MASTER', c: 'BACKUP' });
  assert.deepEqual(said(g.fault('b', 'eth1 is down')), [
    'b fault: eth1 is down',
    'a fault: sync group G: b: eth1 is down',
    'c fault: sync group G: b: eth1 is down',
  ]);
  assert.equal(g.state, 'FAULT');
});

test('nobody leaves FAULT before nobody has a fault', () => {
  const g = group({ a: 'MASTER', b: 'MASTER' });
  g.fault('a', 'eth0 is down');
  assert.deepEqual(g.fault('b', 'eth1 is down'), []);
  assert.deepEqual(g.recovered('a'), []);
  assert.equal(g.state, 'FAULT');
  assert.deepEqual(said(g.recovered('b')), ['a recovered', 'b recovered']);
  assert.deepEqual(g.recovered('b'), []);
});

test('a member that begins while another one has a fault goes to FAULT', () => {
  const g = new SyncGroup('G', ['a', 'b']);
  assert.deepEqual(said(g.fault('a', 'eth0 is down')), ['a fault: eth0 is down']);
  g.report('a', 'FAULT');
  assert.deepEqual(said(g.report('b', 'BACKUP')), ['b fault: sync group G: a: eth0 is down']);
});

test('a member that has ended is left alone', () => {
  const g = group({ a: 'INIT', b: 'MASTER' });
  g.fault('b', 'eth0 is down');
  assert.deepEqual(g.report('b', 'FAULT'), []);
  assert.deepEqual(g.report('a', 'INIT'), []);
});

test('a group made anew lets those go whom nobody keeps in FAULT', () => {
  const without = group({ a: 'FAULT', b: 'BACKUP' });
  assert.deepEqual(said(without.relieve()), ['a recovered']);
  const withCulprit = group({ a: 'FAULT', b: 'FAULT' });
  withCulprit.fault('b', 'eth1 is down');
  assert.deepEqual(withCulprit.relieve(), []);
});

test('strangers are not heard', () => {
  const g = group({ a: 'MASTER' });
  assert.deepEqual(g.report('x', 'BACKUP'), []);
  assert.deepEqual(g.fault('x', 'check'), []);
  assert.deepEqual(g.recovered('x'), []);
});

test('obedient members always come to rest, and then they are all MASTER, none is, or all at work are in FAULT', () => {
  const members = ['a', 'b', 'c'];
  const step = fc.record({
    member: fc.constantFrom(...members),
    what: fc.constantFrom('BACKUP', 'READY', 'fault', 'recovered'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const g = new SyncGroup('G', members);
      const standings = new Map<string, Standing>();
      let budget = 0;
      const obey = (orders: readonly GroupOrder[]) => {
        for (const { member, event } of orders) {
          assert.ok(--budget > 0, 'orders without end');
          if (event.type === 'fault') tell(member, 'FAULT');
          else if (event.type === 'recovered') tell(member, 'BACKUP');
          else if (event.type === 'group') tell(member, event.state);
        }
      };
      const tell = (member: string, standing: Standing) => {
        standings.set(member, standing);
        obey(g.report(member, standing));
      };
      for (const member of members) tell(member, 'BACKUP');
      for (const { member, what } of steps) {
        budget = 20;
        if (what === 'fault') obey(g.fault(member, 'check'));
        else if (what === 'recovered') obey(g.recovered(member));
        else if (standings.get(member) !== 'FAULT' && !(what === 'READY' && standings.get(member) === 'MASTER'))
          tell(member, what as Standing);
        const now = [...standings.values()];
        const masters = now.filter((standing) => standing === 'MASTER').length;
        const faults = now.filter((standing) => standing === 'FAULT').length;
        assert.ok(masters === 0 || masters === members.length, now.join(' '));
        assert.ok(faults === 0 || faults === members.length, now.join(' '));
        assert.equal(g.state === 'MASTER', masters > 0);
      }
    }),
  );
});

test('what is no news changes nothing, whatever went before', () => {
  const standings: Standing[] = ['INIT', 'BACKUP', 'READY', 'MASTER', 'LEAVING', 'FAULT'];
  let seed = 1;
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor(seed / 65_536) % below;
  };
  for (let round = 0; round < 300; round++) {
    const g = new SyncGroup('g', ['a', 'b', 'c']);
    for (let step = 0; step < 12; step++) {
      const member = 'abc'[next(3)]!;
      const standing = standings[next(6)]!;
      const hasMaster = next(2) === 0;
      const { state } = g;
      const what = next(8);
      if (!g.isNews(member, standing, hasMaster)) {
        assert.deepEqual(g.report(member, standing, hasMaster), []);
        assert.equal(g.state, state);
      } else if (what === 0) g.fault(member, 'broken');
      else if (what === 1) g.recovered(member);
      else g.report(member, standing, hasMaster);
    }
  }
});
