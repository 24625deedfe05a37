// Events on their way to a notifier, in virtual time: order, pauses, what is given up, what is lost and counted, the end;
// and what stands in an event, against its schema.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type CourierPlan, NotifyCourier, QUEUE_LIMIT } from '../../core/agent/notify-courier.ts';
import { NotifyPlugins } from '../../core/agent/notify-plugins.ts';
import type { Delivery, NotifierPlan } from '../../core/checks/messages.ts';
import type { NotifierConfig } from '../../core/config/model.ts';
import type { EngineEvent } from '../../core/engine/messages.ts';
import { ip } from '../../core/net/address.ts';
import { EVENT_TYPES, type NotifyResult, USUAL_EVENTS, type VipkeeperEvent } from '../../core/plugin/notifier.ts';
import { type Micros, micros, priority, seconds } from '../../core/units.ts';
import { globals, instance } from './sample-config.ts';
import { EPOCH, VirtualTime } from './virtual-time.ts';

const event = (n: number): VipkeeperEvent => ({
  kind: 'vipkeeper-event',
  version: 1,
  id: `1-${`${n}`.padStart(9, '0')}`,
  time: '2026-01-01T00:00:00.000Z',
  host: 'h',
  routerId: 'r',
  pid: 1,
  agentVersion: '1',
  type: 'agent',
  detail: `${n}`,
});

/** A courier to somebody who answers as `answer` says. */
function courier(plan: Partial<CourierPlan>, answer: (attempt: number) => NotifyResult | Promise<NotifyResult>) {
  const time = new VirtualTime();
  const said: string[] = [];
  /** When, and what: `1.5 0,1 lost=2`. */
  const told: string[] = [];
  const log = (_level: string, what: string, fields: object = {}) =>
    void said.push(`${what} ${JSON.stringify(fields)}`);
  const one = new NotifyCourier(
    { name: 'n', retries: 3, gather: micros(0), ...plan },
    {
      timing: time,
      random: () => 1,
      logger: { log, limited: (_cause, ...rest) => log(...rest) },
      deliver: async (events) => {
        const lost = events.reduce((sum, { lost: count = 0 }) => sum + count, 0);
        const names = events.map(({ detail }) => detail).join(',');
        told.push(`${time.now() / 1_000_000} ${names}${lost ? ` lost=${lost}` : ''}`);
        return await answer(told.length);
      },
    },
  );
  const push = (...numbers: readonly number[]): void => {
    for (const n of numbers) one.push(event(n));
  };
  return { one, time, said, told, push };
}

const OK: NotifyResult = { ok: true };
const BAD: NotifyResult = { ok: false, why: 'no' };
const never = new Promise<NotifyResult>(() => {});

describe('the way of events to a notifier', () => {
  test('they are told one after the other, in order', async () => {
    const { time, told, push } = courier({}, () => OK);
    push(1, 2, 3);
    await time.advance(seconds(0));
    assert.deepEqual(told, ['0 1', '0 2', '0 3']);
  });

  test('a failure is tried again after growing pauses, and what follows waits for it', async () => {
    const { time, told, push } = courier({}, (attempt) => (attempt < 4 ? BAD : OK));
    push(1, 2);
    await time.advance(seconds(60));
    assert.deepEqual(told, ['0 1', '1 1', '3 1', '7 1', '7 2']);
  });

  test('what fails too often is given up, said, and counted in the next event that gets through', async () => {
    const { time, told, said, push } = courier({ retries: 1 }, (attempt) => (attempt < 3 ? BAD : OK));
    push(1, 2, 3);
    await time.advance(seconds(60));
    assert.deepEqual(told, ['0 1', '1 1', '1 2 lost=1', '1 3']);
    assert.match(said.join('\n'), /notify-failed .*"why":"no","attempts":2,"events":1,"effect":"given up"/);
  });

  test('what would fail again is not tried again', async () => {
    const { time, told, push } = courier({}, (attempt) => (attempt === 1 ? { ...BAD, permanent: true } : OK));
    push(1, 2);
    await time.advance(seconds(60));
    assert.deepEqual(told, ['0 1', '0 2 lost=1']);
  });

  test('a pause that is asked for is kept, and none is longer than five minutes', async () => {
    const asks = (asked: Micros) => (attempt: number) =>
      attempt === 1 ? ({ ok: false, why: 'busy', retryAfter: asked } as const) : OK;
    const short = courier({}, asks(seconds(7)));
    short.push(1);
    await short.time.advance(seconds(600));
    assert.deepEqual(short.told, ['0 1', '7 1']);
    const long = courier({}, asks(seconds(86_400)));
    long.push(1);
    await long.time.advance(seconds(600));
    assert.deepEqual(long.told, ['0 1', '300 1']);
  });

  test('of more than fit into the queue the oldest are dropped, and counted', async () => {
    let answer: (result: NotifyResult) => void = () => {};
    const first = new Promise<NotifyResult>((resolve) => {
      answer = resolve;
    });
    const { one, time, told, said, push } = courier({}, (attempt) => (attempt === 1 ? first : OK));
    push(0);
    await time.advance(seconds(0));
    for (let n = 1; n <= QUEUE_LIMIT + 5; n++) push(n);
    assert.equal(one.waiting, QUEUE_LIMIT);
    answer(OK);
    await time.advance(seconds(1));
    assert.equal(told.length, 1 + QUEUE_LIMIT);
    assert.deepEqual(told.slice(0, 3), ['0 0', '0 6 lost=5', '0 7']);
    assert.match(said.join('\n'), /notify-dropped/);
  });

  test('what happens within a while is told together where that is wanted', async () => {
    const { time, told, push } = courier({ gather: seconds(10) }, () => OK);
    push(1, 2);
    await time.advance(seconds(9));
    push(3);
    await time.advance(seconds(5));
    push(4);
    await time.advance(seconds(20));
    assert.deepEqual(told, ['10 1,2,3', '24 4']);
  });

  test('at the end nothing is waited for: what was to be gathered is told, and a failure is tried again soon', async () => {
    const { one, time, told, push } = courier({ gather: seconds(10) }, (attempt) => (attempt === 1 ? BAD : OK));
    push(1, 2);
    await time.advance(seconds(1));
    const ended = one.drain(seconds(5));
    await time.advance(seconds(5));
    await ended;
    assert.deepEqual(told, ['1 1,2', '1.5 1,2']);
    assert.equal(time.timers, 0);
  });

  test('the end does not wait for somebody who never answers', async () => {
    const { one, time, said, push } = courier({}, () => never);
    push(1, 2, 3);
    await time.advance(seconds(0));
    const ended = one.drain(seconds(5));
    await time.advance(seconds(5));
    await ended;
    assert.equal(said.at(-1), 'notify-dropped {"notifier":"n","events":3,"why":"the end"}');
    assert.equal(time.timers, 0);
  });
});

/** Notifiers of a configuration with one instance V1; their thread takes everything. */
function notifiers(...configs: readonly Partial<NotifierConfig>[]) {
  const time = new VirtualTime();
  const plans: (readonly NotifierPlan[])[] = [];
  const delivered: Delivery[] = [];
  const released: number[] = [];
  const all = new NotifyPlugins({
    timing: time,
    logger: { log: () => {}, limited: () => {} },
    random: () => 0,
    origin: { host: 'node1', pid: 42, agentVersion: '1.2.3' },
    threads: {
      get: () => ({
        configureNotifiers: (list) => void plans.push(list),
        deliver: async (delivery) => {
          delivered.push(delivery);
          return OK;
        },
      }),
      sourceOf: () => undefined,
      keepBeside: () => {},
      release: () => void released.push(1),
    },
  });
  const configure = (more: object = {}): void =>
    all.configure({
      globals: globals(),
      scripts: [],
      instances: [instance('V1'), instance('V2')],
      groups: [],
      notifiers: configs.map((config, i) => ({
        name: `n${i}`,
        plugin: 'webhook',
        options: {},
        events: USUAL_EVENTS,
        instances: undefined,
        timeout: seconds(5),
        retries: 5,
        gather: micros(0),
        ...config,
      })),
      ...more,
    });
  configure();
  const of = (name: string) => delivered.flatMap(({ notifier, events }) => (notifier === name ? events : []));
  return { all, time, plans, of, configure, released };
}

const transition = (name: string): EngineEvent => ({
  type: 'transition',
  instance: name,
  from: 'BACKUP',
  to: 'MASTER',
  why: 'master-timeout',
  detail: 'nobody was heard',
  priority: priority(100),
  peer: ip('192.0.2.2'),
  time: EPOCH + 5,
});

/** One of each kind. */
const EVENTS: readonly EngineEvent[] = [
  { type: 'configured' },
  transition('V1'),
  { type: 'group-transition', group: 'G', from: 'BACKUP', to: 'MASTER', time: EPOCH },
  { type: 'fenced', epoch: 1, why: 'the agent was silent' },
  {
    type: 'log',
    level: 'warning',
    text: 'somebody claims 192.0.2.100',
    conflict: { instance: 'V1', address: ip('192.0.2.100'), interface: 'eth0' },
  },
  { type: 'bfd-transition', session: 'B', neighbor: ip('192.0.2.2'), from: 'Up', to: 'Down', why: 'x', time: EPOCH },
  { type: 'stall', duration: seconds(1) },
  { type: 'priority-changed', instance: 'V1', state: 'BACKUP', priority: priority(90) },
  { type: 'lower-priority-heard', instance: 'V1', source: ip('192.0.2.2'), priority: priority(100), count: 2 },
  { type: 'log', level: 'info', text: 'nothing to tell' },
  { type: 'stopped' },
];

describe('events for notifiers', () => {
  test('a transition carries all that is known of it', async () => {
    const { all, time, of } = notifiers({});
    all.hear(transition('V1'));
    await time.advance(seconds(0));
    assert.deepEqual(of('n0'), [
      {
        kind: 'vipkeeper-event',
        version: 1,
        id: `${EPOCH}-000000001`,
        time: new Date(EPOCH + 5).toISOString(),
        host: 'node1',
        pid: 42,
        agentVersion: '1.2.3',
        routerId: 'test',
        type: 'transition',
        instance: 'V1',
        from: 'BACKUP',
        to: 'MASTER',
        reason: 'master-timeout',
        detail: 'nobody was heard',
        priority: 100,
        peer: '192.0.2.2',
        addresses: instance('V1').vips.map(({ address, prefix }) => `${address}/${prefix}`),
      },
    ]);
  });

  test('each notifier hears of its types and instances only', async () => {
    const { all, time, of } = notifiers({ events: ['transition'], instances: ['V2'] }, { events: ['check', 'fenced'] });
    for (const one of [...EVENTS, transition('V2')]) all.hear(one);
    all.checked('web', false, 'ECONNREFUSED');
    await time.advance(seconds(0));
    assert.deepEqual(
      of('n0').map(({ instance: name }) => name),
      ['V2'],
    );
    assert.deepEqual(
      of('n1').map(({ type, check, from, to }) => [type, check, from, to]),
      [
        ['fenced', undefined, undefined, undefined],
        ['check', 'web', 'up', 'down'],
      ],
    );
  });

  test('a reload is told, and leaves what waits alone; the end lets go of the threads', async () => {
    const { all, time, of, configure, plans, released } = notifiers({});
    all.hear(transition('V1'));
    configure();
    await time.advance(seconds(0));
    assert.deepEqual(
      of('n0').map(({ type, reason }) => [type, reason]),
      [
        ['transition', 'master-timeout'],
        ['agent', 'reloaded'],
      ],
    );
    await all.drain(seconds(5));
    assert.deepEqual(plans.at(-1), []);
    assert.equal(released.length, 1);
  });

  test('every event is as its schema says, and the schema knows every type and member', async () => {
    const { all, time, of } = notifiers({ events: EVENT_TYPES });
    for (const one of EVENTS) all.hear(one);
    all.checked('web', true, '');
    await time.advance(seconds(0));
    const told = of('n0');
    assert.deepEqual(new Set(told.map(({ type }) => type)), new Set(EVENT_TYPES));
    assert.deepEqual(schema.properties['type']?.enum, [...EVENT_TYPES]);
    for (const one of [...told, { ...told[0], lost: 3 }]) assert.deepEqual(faultsOf(one), [], JSON.stringify(one));
    const members = new Set(told.flatMap((one) => Object.keys(one)));
    assert.deepEqual(
      Object.keys(schema.properties).filter((name) => !members.has(name)),
      ['lost'],
    );
    assert.notDeepEqual(faultsOf({ ...told[0], version: 2 }), []);
    assert.notDeepEqual(faultsOf({ ...told[0], surprise: 1 }), []);
  });
});

interface Member {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

const schema: { readonly required: readonly string[]; readonly properties: Readonly<Record<string, Member>> } =
  JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'deploy', 'events.schema.json'), 'utf8'));

/** Members that are not as the schema says. */
function faultsOf(value: object): readonly string[] {
  const entries = Object.entries(value);
  const fits = (one: unknown, member: Member): boolean =>
    (member.type === undefined ||
      (member.type === 'array'
        ? Array.isArray(one)
        : member.type === 'integer'
          ? Number.isInteger(one)
          : typeof one === member.type)) &&
    (member.const === undefined || one === member.const) &&
    (member.enum === undefined || member.enum.includes(one)) &&
    (member.pattern === undefined || new RegExp(member.pattern).test(`${one}`)) &&
    (member.minimum === undefined || Number(one) >= member.minimum) &&
    (member.maximum === undefined || Number(one) <= member.maximum);
  return [
    ...schema.required.filter((name) => !(name in value)),
    ...entries.flatMap(([name, one]) => (schema.properties[name] && fits(one, schema.properties[name]) ? [] : [name])),
  ];
}
