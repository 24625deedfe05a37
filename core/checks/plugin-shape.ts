// Whether what a module exports is a plugin of this interface: said by its author's words, believed only after looking.
// Pure; runs in the thread of the plugin.
import { PLUGIN_API } from '../plugin/check.ts';
import type { Plugin } from '../plugin/notifier.ts';

const NAME = /^[a-z][a-z0-9_]{0,30}$/;
/** The kinds of plugins: the block in which its name is a word, and the words there that none may take. */
const KINDS: Readonly<Record<string, { readonly block: string; readonly taken: readonly string[] }>> = {
  check: {
    block: 'vrrp_check',
    taken: ['interval', 'timeout', 'jitter', 'rise', 'fall', 'weight', 'init_fail', 'all', 'any', 'at_least'],
  },
  notifier: { block: 'notifier', taken: ['events', 'instances', 'timeout', 'retries'] },
};
/** Deeper blocks than this help nobody. */
const DEEPEST = 4;

type Loose = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The plugins of a module: its default export, one or a list. @throws Error naming what is wrong with it */
export function pluginsOf(module: unknown): readonly Plugin[] {
  const exported = isObject(module) ? module['default'] : undefined;
  if (exported === undefined) throw new Error('the module has no default export: a plugin or a list of plugins');
  const list = Array.isArray(exported) ? exported : [exported];
  if (list.length === 0) throw new Error('the list of plugins is empty');
  return list.map(pluginOf);
}

function pluginOf(value: unknown): Plugin {
  if (!isObject(value)) throw new Error('a plugin is an object');
  const { api, kind, name, help, options, settings, create, validate, gather } = value;
  if (api !== PLUGIN_API) throw new Error(`api is ${JSON.stringify(api)}, and this agent has api: ${PLUGIN_API}`);
  const place = typeof kind === 'string' && Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (place === undefined)
    throw new Error(
      `kind is ${JSON.stringify(kind)}; known are ${Object.keys(KINDS)
        .map((k) => `"${k}"`)
        .join(', ')}`,
    );
  if (typeof name !== 'string' || !NAME.test(name) || place.taken.includes(name))
    throw new Error(
      `name ${JSON.stringify(name)} cannot be a keyword: lower-case letters, digits and _, none of ${place.block}'s own`,
    );
  if (typeof help !== 'string' || help === '') throw new Error(`plugin ${name} has no help: one line for people`);
  examine(options, `options of ${name}`, 0);
  if (settings !== undefined) examine(settings, `settings of ${name}`, 0);
  if (typeof create !== 'function') throw new Error(`plugin ${name} has no function create`);
  if (validate !== undefined && typeof validate !== 'function') throw new Error(`validate of ${name} is no function`);
  if (gather !== undefined && !(isObject(options) && isSeconds(options[`${gather}`])))
    throw new Error(`gather of ${name} names no option of the kind seconds`);
  return value as unknown as Plugin;
}

const isSeconds = (spec: unknown): boolean => isObject(spec) && spec['kind'] === 'seconds';

/** @throws Error with the option's name */
function examine(specs: unknown, where: string, depth: number): void {
  if (!isObject(specs)) throw new Error(`${where} must be an object`);
  if (depth > DEEPEST) throw new Error(`${where} are nested too deep`);
  for (const [name, spec] of Object.entries(specs)) {
    const at = `option ${name} in ${where}`;
    if (!NAME.test(name)) throw new Error(`${at} cannot be a keyword`);
    if (!isObject(spec) || typeof spec['help'] !== 'string') throw new Error(`${at} has no help`);
    examineOne(spec, at, depth);
  }
}

function examineOne(spec: Loose, at: string, depth: number): void {
  const { kind, min, max, choices, default: initial } = spec;
  switch (kind) {
    case 'integer':
    case 'seconds':
      if (typeof min !== 'number' || typeof max !== 'number' || !(min <= max))
        throw new Error(`${at} needs min and max`);
      if (initial !== undefined && !(typeof initial === 'number' && initial >= min && initial <= max))
        throw new Error(`the default of ${at} is out of range ${min}..${max}`);
      break;
    case 'choice':
      if (!Array.isArray(choices) || choices.length === 0 || choices.some((one) => typeof one !== 'string'))
        throw new Error(`${at} needs choices, a list of words`);
      if (initial !== undefined && !choices.includes(initial))
        throw new Error(`the default of ${at} is none of its choices`);
      break;
    case 'block':
      examine(spec['options'], at, depth + 1);
      break;
    case 'text':
    case 'flag':
    case 'address':
    case 'pattern':
    case 'words':
      break;
    default:
      throw new Error(`${at} has the unknown kind ${JSON.stringify(kind)}`);
  }
}
