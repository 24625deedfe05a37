// From notifier blocks to notifiers: which plugin tells whom of what, and what keeps it from it.
// Pure; the plugins are known by their descriptions alone.
import { type NotifierDescription, USUAL_EVENTS } from '../plugin/notifier.ts';
import { type Micros, micros, seconds } from '../units.ts';
import type { Place, Report } from './diagnostics.ts';
import type { notifierRows } from './keywords/notifier.ts';
import type { Named, Rows, Values } from './keywords/row.ts';
import type { NotifierConfig } from './model.ts';
import { optionsOf } from './plugin-rows.ts';

type NotifierBlock = Named<Values<Rows>>;

const TIMEOUT = seconds(5);
const RETRIES = 5;

/**
 * @param plugins by the word that opens their block
 * @param instances names of those that there are
 */
export function buildNotifiers(
  blocks: readonly NotifierBlock[],
  plugins: ReadonlyMap<string, NotifierDescription>,
  instances: ReadonlySet<string>,
  report: Report,
): readonly NotifierConfig[] {
  const notifiers = new Map<string, NotifierConfig>();
  for (const block of blocks) {
    if (notifiers.has(block.name)) {
      report.add('W014', block.place, `there is a notifier ${block.name} already; this one is left out`, {
        value: block.name,
        suggestion: 'give each notifier a name of its own',
      });
      continue;
    }
    const notifier = build(block, plugins, instances, report);
    if (notifier !== undefined) notifiers.set(block.name, notifier);
  }
  return [...notifiers.values()];
}

function build(
  { name, place, values }: NotifierBlock,
  plugins: ReadonlyMap<string, NotifierDescription>,
  instances: ReadonlySet<string>,
  report: Report,
): NotifierConfig | undefined {
  const refuse = (why: string, suggestion: string, at: Place = place): undefined => {
    report.add('W067', at, `notifier ${name} ${why}`, { value: name, suggestion });
  };
  const [word, second] = [...plugins.keys()].filter((one) => values[one] !== undefined);
  const plugin = word === undefined ? undefined : plugins.get(word);
  if (word === undefined || plugin === undefined)
    return refuse('does not say how to tell', 'put the block of a plugin into it (vipkeeper help notifier lists them)');
  if (second !== undefined)
    return refuse(`has both ${word} and ${second}`, 'make two notifiers of it', values[second]!.place);
  const found = values[word]!;
  const block = { name: `${word} in notifier ${name}`, place: found.place };
  const options = optionsOf(plugin.options, found.value as Values<Rows>, block, report);
  if (options === undefined) return refuse(`lacks what ${word} needs`, `complete its ${word} block`, found.place);
  const common = values as Values<typeof notifierRows>;
  for (const instance of common.instances?.value ?? [])
    if (!instances.has(instance))
      report.add('W050', common.instances!.place, `notifier ${name} names ${instance}, but there is no such instance`, {
        value: instance,
      });
  return {
    name,
    plugin: word,
    options,
    events: common.events?.value ?? USUAL_EVENTS,
    instances: common.instances?.value,
    timeout: common.timeout?.value ?? TIMEOUT,
    retries: common.retries?.value ?? RETRIES,
    gather: plugin.gather === undefined ? micros(0) : ((options[plugin.gather] as Micros | undefined) ?? micros(0)),
  };
}
