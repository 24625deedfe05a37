// A status report as a person reads it at three in the morning: who holds the address, since when, why, and whether
// the others could take over. Pure.
import { FURTHEST } from '../health/verdict.ts';
import type { BfdReport } from './bfd-report.ts';
import { type CheckReport, checkCells } from './check-report.ts';
import { formatDuration } from './duration.ts';
import type { InstanceReport, PeerNameReport, ScriptReport, StatusReport, WatchedReport } from './status-report.ts';
import { type Canvas, type Cell, layOut, type Style } from './text-table.ts';

const STATE_STYLE: Readonly<Record<InstanceReport['state'], Style>> = {
  MASTER: 'good',
  BACKUP: 'strong',
  FAULT: 'bad',
  LEAVING: 'warn',
  INIT: 'warn',
};

const CONDITION_STYLE: Readonly<Record<ScriptReport['condition'], Style>> = {
  ok: 'good',
  failed: 'bad',
  waiting: 'warn',
  disabled: 'warn',
};

/** The whole text, with a line feed at the end. Times are relative to the moment the report was made. */
/** A claim that is older belongs to a conflict that has passed. */
const FRESH_MS = 60_000;

export function renderStatus(report: StatusReport, canvas: Canvas): string {
  const generated = Date.parse(report.generated);
  const { process } = report;
  const up = formatDuration(generated - Date.parse(process.started));
  const head: Cell[][] = [
    [{ text: `vipkeeper ${process.version}, pid ${process.pid}, up ${up}, ${summary(report.instances)}` }],
    [{ text: `configuration ${process.configFile}, read ${process.configLoaded}`, style: 'faint' }],
    ...(process.transport === 'raw-socket'
      ? [[{ text: 'transport raw-socket: IPv4 only, intervals of 0.1 s and more', style: 'warn' } as const]]
      : []),
  ];
  if (process.reloadError !== null)
    head.push([
      { text: `the latest reload was refused, the old configuration stays: ${process.reloadError}`, style: 'bad' },
    ]);
  const blocks = report.instances.map((instance) => [
    '',
    ...renderInstance(instance, report.checks ?? [], generated, canvas),
  ]);
  const bfds = (report.bfds ?? []).map((session) => ['', ...renderBfd(session, canvas)]);
  return `${[...layOut(head, 0, canvas), ...blocks.flat(), ...bfds.flat()].join('\n')}\n`;
}

function renderBfd(session: BfdReport, canvas: Canvas): string[] {
  const { name, neighbor, multihop, state, forMs, since, statistics, heardMs, trouble } = session;
  const title: Cell[] = [
    { text: `BFD ${name}`, style: 'strong' },
    { text: state, style: state === 'Up' ? 'good' : 'bad' },
    { text: `for ${formatDuration(forMs)}, since ${since}` },
  ];
  const heard = heardMs === null ? 'not heard yet' : `heard ${formatDuration(heardMs)} ago`;
  const drops = Object.entries(statistics.drops).map(([why, count]) => `, ${count} dropped (${why})`);
  const rows: Cell[][] = [
    [label('neighbor'), { text: `${neighbor}${multihop ? ' over several hops' : ''}, ${heard}` }],
    [label('why'), { text: `${session.why}; the neighbor is ${session.neighborState}: ${session.neighborWhy}` }],
    [
      label('timers'),
      { text: `a packet each ${session.transmitMs} ms, down after ${session.detectionMs} ms of silence` },
    ],
    [
      label('packets'),
      {
        text: `${statistics.sent} sent, ${statistics.received} received${drops.join('')}; ${statistics.wentUp} times up, ${statistics.wentDown} times down`,
      },
    ],
  ];
  if (trouble !== null) rows.push([label('trouble'), { text: `cannot send: ${trouble}`, style: 'bad' }]);
  return [...layOut([title], 0, canvas), ...layOut(rows, 2, canvas)];
}

function summary(instances: readonly InstanceReport[]): string {
  const counts = new Map<string, number>();
  for (const { state } of instances) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  if (instances.length === 0) return 'no virtual routers';
  return `${instances.length} virtual router${instances.length === 1 ? '' : 's'}: ${states}`;
}

function renderInstance(
  instance: InstanceReport,
  checks: readonly CheckReport[],
  generated: number,
  canvas: Canvas,
): string[] {
  const title: Cell[] = [
    { text: instance.name, style: 'strong' },
    { text: instance.state, style: STATE_STYLE[instance.state] },
    { text: `for ${formatDuration(instance.forMs)}, since ${instance.since}` },
  ];
  return [...layOut([title], 0, canvas), ...layOut(facts(instance, checks, generated), 2, canvas)];
}

function facts(instance: InstanceReport, checks: readonly CheckReport[], generated: number): Cell[][] {
  const rows: Cell[][] = [[label('why'), { text: join(instance.why, instance.detail) }]];
  rows.push(
    ...section(
      'faults',
      instance.faults.map((text): Cell => ({ text, style: 'bad' })),
    ),
  );
  rows.push([label('where'), { text: place(instance) }]);
  rows.push([label('priority'), { text: priorityText(instance.priority) }]);
  rows.push(
    ...section(
      'addresses',
      instance.addresses.map((address) => addressCell(instance, address)),
    ),
  );
  rows.push(
    ...section(
      'routing',
      instance.routing.map((entry) => routingCell(instance, entry)),
    ),
  );
  if (instance.addresses.length === 0) rows.push([label('addresses'), { text: 'none' }]);
  const { conflict, statistics } = instance;
  if (conflict)
    rows.push([
      label('conflict'),
      {
        text: `${conflict.mac} claims ${conflict.address}, too: ${formatDuration(conflict.ageMs)} ago, ${statistics.addressConflicts} times in all`,
        style: conflict.ageMs < FRESH_MS ? 'bad' : 'warn',
      },
    ]);
  const peers = instance.peers.map(
    ({ address, priority, ageMs }): Cell => ({
      text: `${address}, priority ${priority}${address === instance.master?.address ? ' (master)' : ''}, heard ${formatDuration(ageMs)} ago`,
    }),
  );
  rows.push(...section('peers', peers.length > 0 ? peers : [{ text: 'none heard yet', style: 'faint' }]));
  rows.push(
    ...section(
      'scripts',
      instance.scripts.map((script) => scriptCell(script, generated)),
    ),
  );
  rows.push(...section('checks', checkCells(checks, instance.name, generated)));
  rows.push(...section('peer names', instance.peerNames.map(nameCell)));
  rows.push(...section('watched', instance.watched.map(watchedCell)));
  return rows;
}

/** A label beside the first of several lines. */
function section(name: string, cells: readonly Cell[]): Cell[][] {
  return cells.map((cell, i) => [label(i === 0 ? name : ''), cell]);
}

function label(text: string): Cell {
  return { text, style: 'faint' };
}

function place({ interface: device, vrid, family, vrrpVersion, group, timers }: InstanceReport): string {
  if (device === null) return 'no longer in the configuration';
  const where = `${device}, IPv${family}, VRID ${vrid}, VRRPv${vrrpVersion}`;
  const sync = group === null ? '' : `, sync group ${group}`;
  return `${where}${sync}, a silent master counts as down after ${formatDuration(timers.downMs)}`;
}

function priorityText({ base, effective, checks }: InstanceReport['priority']): string {
  return `${effective} (base ${base} ${checks < 0 ? '-' : '+'} ${Math.abs(checks)} by checks)`;
}

function addressCell(
  { state }: InstanceReport,
  { address, prefix, device, held }: InstanceReport['addresses'][number],
): Cell {
  // While leaving, the addresses answer until a successor is heard; both are right then.
  const expected = state === 'LEAVING' ? held : state === 'MASTER';
  const verdict = held === expected ? '' : held ? `, although ${state}` : ', although MASTER';
  const text = `${address}/${prefix} on ${device}, held by the kernel: ${held ? 'yes' : 'no'}${verdict}`;
  return { text, style: held !== expected ? 'bad' : held ? 'good' : 'plain' };
}

function routingCell({ state }: InstanceReport, { text, held }: InstanceReport['routing'][number]): Cell {
  const wanted = state === 'MASTER' || state === 'LEAVING';
  return { text: `${text}: ${held ? 'set' : 'not set'}`, style: held !== wanted ? 'bad' : held ? 'good' : 'plain' };
}

function scriptCell(script: ScriptReport, generated: number): Cell {
  const { name, condition, weight, contribution, lastRun } = script;
  const effect =
    weight === 0
      ? 'a failure is a fault'
      : `${contribution < 0 ? '-' : '+'}${Math.abs(contribution)} of ${signed(weight)}`;
  const direction = script.reverse ? `${effect}, reverse` : effect;
  const head = `${name}: ${condition === 'failed' ? 'FAILED' : condition} (${direction})`;
  if (condition === 'disabled') return { text: join(head, script.detail), style: CONDITION_STYLE[condition] };
  if (!lastRun) return { text: head, style: CONDITION_STYLE[condition] };
  const ran = [lastRun.outcome, lastRun.output].filter((text) => text !== '').join(': ');
  const age = formatDuration(generated - Date.parse(lastRun.time));
  return { text: `${join(head, ran)}, ran ${age} ago`, style: CONDITION_STYLE[condition] };
}

function watchedCell(watched: WatchedReport): Cell {
  const { kind, name, condition, weight, contribution, reverse, detail, problem } = watched;
  const fault = weight === 0 || contribution < -FURTHEST;
  const failed = weight === 0 ? (condition === 'ok') === reverse : fault;
  const effect = fault
    ? weight === 0
      ? 'a failure is a fault'
      : 'a fault'
    : `${signed(contribution)} by ${signed(weight)}`;
  const head = `${kind} ${name}: ${condition} (${effect}${reverse ? ', reverse' : ''})`;
  const text = join(head, [detail, problem].filter((part) => part !== '').join('; '));
  const style = condition === 'waiting' || problem !== '' ? 'warn' : failed ? 'bad' : CONDITION_STYLE[condition];
  return { text, style };
}

function nameCell({ name, addresses, answered, problem }: PeerNameReport): Cell {
  const meaning = addresses.length > 0 ? addresses.join(' ') : answered === null ? 'unknown' : 'only this machine';
  if (problem === '') return { text: `${name}: ${meaning}` };
  return { text: `${name}: ${meaning}${answered === null ? '' : `, as of ${answered}`} (${problem})`, style: 'warn' };
}

function signed(n: number): string {
  return n < 0 ? `${n}` : `+${n}`;
}

function join(head: string, detail: string): string {
  return detail === '' ? head : `${head}: ${detail}`;
}
