// From vrrp_check blocks to checks: what each probes or which others it is made of, and what keeps it from running.
// Pure; the plugins are known by their descriptions alone.
import type { CheckDescription } from '../plugin/check.ts';
import { type Micros, seconds } from '../units.ts';
import type { Place, Report } from './diagnostics.ts';
import type { Found, Named, Rows, Values } from './keywords/row.ts';
import type { commonRows } from './keywords/vrrp-check.ts';
import type { CheckConfig, CheckProbe } from './model.ts';
import { NATIVE_CHECKS, type NativeCheck, nativeCheck } from './native-checks.ts';
import { optionsOf, SHORTEST_INTERVAL } from './plugin-rows.ts';

type CheckBlock = Named<Values<Rows>>;
type Common = Values<typeof commonRows>;

const INTERVAL = seconds(1);
/** A timeout is at most the interval. */
const LONGEST = seconds(86_400);
/** What says how a check probes. */
const OF_PROBES = ['interval', 'timeout', 'jitter', 'rise', 'fall', 'init_fail'] as const;
/** Expressions over expressions, so many levels; more helps nobody. */
const DEEPEST = 20;
const EXPRESSIONS = ['all', 'any', 'at_least'] as const;

/**
 * @param plugins by the word that opens their block
 * @param scripts names that are taken
 */
export function buildChecks(
  blocks: readonly CheckBlock[],
  plugins: ReadonlyMap<string, CheckDescription>,
  scripts: ReadonlySet<string>,
  report: Report,
): readonly CheckConfig[] {
  const checks = new Map<string, CheckConfig>();
  // One that is left out for its name is no check that others could be made of.
  const names = new Set(blocks.flatMap(({ name }) => (scripts.has(name) ? [] : [name])));
  for (const block of blocks) {
    if (scripts.has(block.name) || checks.has(block.name)) {
      const what = checks.has(block.name) ? 'vrrp_check' : 'vrrp_script';
      report.add('W014', block.place, `there is a ${what} ${block.name} already; this one is left out`, {
        value: block.name,
        suggestion: 'give each check and script a name of its own',
      });
      continue;
    }
    checks.set(block.name, build(block, plugins, names, report));
  }
  for (const { name, place } of blocks) breakCircle(name, place, checks, report);
  for (const { name, place } of blocks) refuseDeep(name, place, checks, report);
  return [...checks.values()];
}

function build(
  block: CheckBlock,
  plugins: ReadonlyMap<string, CheckDescription>,
  names: ReadonlySet<string>,
  report: Report,
): CheckConfig {
  const values = block.values as Common;
  const { probe, native } = madeOf(block, plugins, names, report);
  const interval = values.interval?.value ?? native?.interval ?? INTERVAL;
  if (probe.type === 'expression')
    for (const word of OF_PROBES)
      if (values[word] !== undefined)
        report.add('W056', values[word].place, `${word} has no effect on a check that is made of other checks`, {
          value: word,
          suggestion: 'put it into those checks',
        });
  return {
    name: block.name,
    probe,
    interval,
    timeout: timeoutOf(values.timeout, interval, native?.timeout ?? interval, report),
    jitter: values.jitter?.value ?? (0 as Micros),
    rise: values.rise?.value ?? 1,
    fall: values.fall?.value ?? native?.fall ?? 1,
    weight: values.weight?.value.weight ?? 0,
    reverse: values.weight?.value.reverse ?? false,
    initFail: values.init_fail?.value ?? native?.initFail ?? false,
  };
}

function timeoutOf(found: Found<Micros> | undefined, interval: Micros, usual: Micros, report: Report): Micros {
  if (found === undefined) return usual;
  if (found.value <= interval) return found.value;
  report.add('W057', found.place, 'timeout is longer than the interval; the interval is used', {
    suggestion: 'make the interval longer: a check never overlaps itself',
  });
  return interval;
}

/** What a check probes, and keepalived's numbers where its block is one of keepalived's. */
interface Made {
  readonly probe: CheckProbe;
  readonly native?: NativeCheck;
}

function madeOf(
  { name, place, values }: CheckBlock,
  plugins: ReadonlyMap<string, CheckDescription>,
  names: ReadonlySet<string>,
  report: Report,
): Made {
  const words = [...plugins.keys(), ...EXPRESSIONS, ...NATIVE_CHECKS.keys()];
  const given = words.filter((word) => values[word] !== undefined);
  const none = (why: string): Made => ({ probe: { type: 'none', why } });
  const disabled = (why: string, suggestion: string, at = place): Made => {
    report.add('W059', at, `vrrp_check ${name} ${why}`, { value: name, suggestion });
    return none(why);
  };
  const [word, second] = given;
  if (word === undefined)
    return disabled(
      'does not say what to check',
      'put the block of a plugin into it (vipkeeper help vrrp_check lists them), or all, any or at_least',
    );
  if (second !== undefined)
    return disabled(
      `has both ${word} and ${second}`,
      'make two checks of it, and a third with all or any of them',
      values[second]!.place,
    );
  const plugin = plugins.get(word);
  const found = values[word]!;
  if (plugin !== undefined) {
    const block = { name: `${word} in vrrp_check ${name}`, place: found.place };
    const options = optionsOf(plugin.options, found.value as Values<Rows>, block, report);
    return options ? { probe: { type: 'plugin', plugin: word, options } } : none(`${word} lacks what it needs`);
  }
  if (NATIVE_CHECKS.has(word)) {
    const native = nativeIn(word, found as Found<Values<Rows>>, (values as Common).interval, report);
    if (native === undefined) return none(`${word} lacks what it needs`);
    const { plugin, options } = native;
    return { probe: { type: 'plugin', plugin, options }, native };
  }
  const common = values as Common;
  const parts = common.all?.value ?? common.any?.value ?? common.at_least?.value.names ?? [];
  const known = parts.filter((part) => names.has(part.name));
  for (const part of parts)
    if (!known.includes(part))
      report.add('W050', part.place, `vrrp_check ${name} needs ${part.name}, but there is no vrrp_check of that name`, {
        value: part.name,
      });
  if (known.length < parts.length) return none('it names a check that does not exist');
  const count = common.all ? parts.length : (common.at_least?.value.count ?? 1);
  if (count > parts.length)
    return disabled(`asks for ${count} of ${parts.length} checks`, `ask for at most ${parts.length}`, found.place);
  return { probe: { type: 'expression', count, of: parts.map((part) => part.name) } };
}

/** keepalived's numbers count where they are written; without them those of vrrp_check hold. */
function nativeIn(
  word: string,
  { value, place }: Found<Values<Rows>>,
  interval: Found<Micros> | undefined,
  report: Report,
): NativeCheck | undefined {
  const loop = value['delay_loop'] as Found<Micros> | undefined;
  const tooOften = loop !== undefined && loop.value < SHORTEST_INTERVAL;
  if (tooOften)
    report.add('W011', loop.place, `delay_loop is shorter than ${SHORTEST_INTERVAL / 1_000_000} s, which is used`);
  const every = interval ?? (tooOften ? { ...loop, value: SHORTEST_INTERVAL } : loop);
  const block = { ...value, ...(every && { delay_loop: every }) };
  return nativeCheck(word, block, place, { delayLoop: INTERVAL, connectTimeout: LONGEST, retry: 0 }, report);
}

/** An expression that depends on itself says nothing; it is taken out of the circle. */
function breakCircle(name: string, place: Place, checks: Map<string, CheckConfig>, report: Report): void {
  const check = checks.get(name);
  if (check?.probe.type !== 'expression' || !reachesItself(name, checks)) return;
  report.add('W059', place, `vrrp_check ${name} depends on itself`, {
    value: name,
    suggestion: 'name only checks that do not name it in their turn',
  });
  checks.set(name, { ...check, probe: { type: 'none', why: 'it depends on itself' } });
}

function reachesItself(name: string, checks: ReadonlyMap<string, CheckConfig>): boolean {
  const seen = new Set(partsOf(name, checks));
  for (const one of seen) for (const part of partsOf(one, checks)) seen.add(part);
  return seen.has(name);
}

function refuseDeep(name: string, place: Place, checks: Map<string, CheckConfig>, report: Report): void {
  const check = checks.get(name);
  let level = new Set([name]);
  for (let depth = 0; depth <= DEEPEST; depth++) {
    level = new Set([...level].flatMap((one) => partsOf(one, checks)));
    if (level.size === 0) return;
  }
  const why = `is made of checks made of checks, more than ${DEEPEST} levels deep`;
  report.add('W059', place, `vrrp_check ${name} ${why}`, { value: name, suggestion: 'name the checks themselves' });
  checks.set(name, { ...check!, probe: { type: 'none', why: `it ${why}` } });
}

const partsOf = (name: string, checks: ReadonlyMap<string, CheckConfig>): readonly string[] => {
  const probe = checks.get(name)?.probe;
  return probe?.type === 'expression' ? probe.of : [];
};
