// The language of a file: the tables of keywords, with what the plugins at hand add to them. One value that the loader,
// the help, the schema and the completion share. Pure; knows no single plugin.
import type { CheckDescription } from '../plugin/check.ts';
import type { NotifierDescription, PluginDescription } from '../plugin/notifier.ts';
import type { PlainOptions } from '../plugin/options.ts';
import type { Place } from './diagnostics.ts';
import { notifierField } from './keywords/notifier.ts';
import { root as bareRoot } from './keywords/root.ts';
import { type Block, type BlockField, type Keyword, opensOf, readBlock, rowOf } from './keywords/row.ts';
import { checkField } from './keywords/vrrp-check.ts';
import type { Grammar, Statement } from './parser.ts';
import { optionsOf, rowsOf } from './plugin-rows.ts';

export type Root = typeof bareRoot;

/** A plugin of somebody else, as the file names it. */
export interface PluginSource {
  /** As written: a path or the name of a package. */
  readonly specifier: string;
  readonly plugins: readonly PluginDescription[];
  /** Why it cannot be used. */
  readonly refused?: string;
  /** Who could change it, which is tolerated. */
  readonly risk?: string;
}

/** The plugins that a file may use. */
export interface PluginSet {
  readonly builtIn: readonly PluginDescription[];
  /** In the order of the file. */
  readonly loaded: readonly PluginSource[];
}

export const NO_PLUGINS: PluginSet = { builtIn: [], loaded: [] };

/** load_plugin: what is loaded, with the settings of its block. */
export interface PluginLine {
  readonly specifier: string;
  readonly place: Place;
  readonly settings: PlainOptions;
}

export interface Language {
  readonly root: Root;
  readonly grammar: Grammar<Block>;
  /** Every check plugin, by the word that opens its block. */
  readonly checks: ReadonlyMap<string, CheckDescription>;
  /** Every notifier plugin, by the word that opens its block. */
  readonly notifiers: ReadonlyMap<string, NotifierDescription>;
  /** The blocks in which a keyword is known, as people would say it. */
  blocksWith(keyword: string): readonly string[];
  /** Every keyword that is known anywhere. */
  readonly keywords: readonly string[];
}

/** The language with these plugins; of two with one name the first counts. */
export function languageWith(plugins: PluginSet): Language {
  const checks = new Map<string, CheckDescription>();
  const notifiers = new Map<string, NotifierDescription>();
  for (const plugin of [...plugins.builtIn, ...plugins.loaded.flatMap((source) => source.plugins)])
    if (plugin.kind === 'check') putNew(checks, plugin);
    else putNew(notifiers, plugin);
  const rows = {
    ...bareRoot.rows,
    vrrp_check: { ...bareRoot.rows.vrrp_check, value: checkField([...checks.values()]) },
    notifier: { ...bareRoot.rows.notifier, value: notifierField([...notifiers.values()]) },
    load_plugin: { ...bareRoot.rows.load_plugin, value: pluginField(plugins.loaded) },
  };
  const root: Root = { ...bareRoot, rows };
  const homes = homesIn(root);
  return {
    root,
    checks,
    notifiers,
    grammar: {
      root,
      opens: (parent, keyword) => (parent.lines ? undefined : opensOf(rowOf(parent, keyword)?.row)),
      standsAlone: (parent, keyword) => opensOf(rowOf(parent, keyword)?.row)?.optional === true,
      isOpaque: (block) => block.opaque === true,
      isList: (block) => block.lines !== undefined,
      knows: (block, keyword) => block.lines === undefined && rowOf(block, keyword) !== undefined,
    },
    blocksWith: (keyword) => homes.get(keyword) ?? [],
    keywords: [...homes.keys()],
  };
}

function putNew<T extends PluginDescription>(map: Map<string, T>, plugin: T): void {
  if (!map.has(plugin.name)) map.set(plugin.name, plugin);
}

/** Every keyword with the blocks in which it is known. */
function homesIn(root: Block): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  const note = (keyword: string, block: string) => map.set(keyword, [...(map.get(keyword) ?? []), block]);
  // The outer blocks first: they are the likelier homes.
  const blocks = new Set<Block>([root]);
  for (const block of blocks) {
    const where = block.name === 'root' ? 'the top level' : block.name;
    for (const [name, row] of Object.entries(block.rows)) {
      for (const keyword of [name, ...(row.synonyms ?? [])]) note(keyword, where);
      const inner = opensOf(row);
      if (inner && !inner.lines) blocks.add(inner);
    }
  }
  return map;
}

/** `load_plugin "NAME-or-path" [{ … }]`, the block by what the plugins of that source say of their settings. */
function pluginField(loaded: readonly PluginSource[]): BlockField<readonly PluginLine[]> {
  const settingsOf = (specifier: string) =>
    Object.assign(
      {},
      ...(loaded.find((one) => one.specifier === specifier)?.plugins ?? []).map((p) => p.settings ?? {}),
    );
  const all = Object.assign({}, ...loaded.map(({ specifier }) => rowsOf(settingsOf(specifier)))) as Block['rows'];
  return {
    kind: 'block',
    synopsis: 'NAME|PATH [{ … }]',
    opens: { name: 'load_plugin', help: 'settings of a plugin of somebody else', rows: all, optional: true },
    read(args) {
      const word = args.need('the name of a package or the path of a module');
      if (word === undefined) return undefined;
      const { refused, risk } = loaded.find((one) => one.specifier === word.text) ?? {};
      if (risk !== undefined)
        args.report.add('W071', word.place, `plugin ${word.text} would run as root but ${risk}`, {
          value: word.text,
          suggestion: 'make it root’s alone; enable_script_security would not load it',
        });
      if (refused !== undefined)
        args.report.add('W059', word.place, `plugin ${word.text} cannot be used: ${refused}`, { value: word.text });
      const settings = settingsOf(word.text);
      const block: Block = { name: 'load_plugin', help: '', rows: rowsOf(settings) };
      const values = readBlock(block, args.statement.block ?? [], args.reading);
      const options = optionsOf(settings, values, { name: `load_plugin ${word.text}`, place: word.place }, args.report);
      return options && [{ specifier: word.text, place: word.place, settings: options }];
    },
  };
}

/** What load_plugin names in a file, so that it can be asked what it adds to the language. */
export const pluginsNamed = (statements: readonly Statement[]): readonly string[] =>
  statements.flatMap(({ words: [keyword, name] }) => (keyword?.text === 'load_plugin' && name ? [name.text] : []));

/** Whether a file says enable_script_security: asked before its plugins are loaded, and so before it is read. */
export const strictAboutScripts = (statements: readonly Statement[]): boolean =>
  statements.some(
    ({ words: [keyword], block = [] }) =>
      keyword?.text === 'global_defs' && block.some(({ words: [word] }) => word?.text === 'enable_script_security'),
  );

/** The rows of a keyword at the top level. */
export const topRow = (language: Language, keyword: string): Keyword | undefined =>
  (language.root.rows as Readonly<Record<string, Keyword>>)[keyword];

/** The language without plugins. */
export const BARE = languageWith(NO_PLUGINS);
