// Names for numbers in routes and rules: what iproute2 keeps in rt_tables and its sisters. Reads their text; pure, so
// who knows the files hands the text in.

/** Numbers by name. */
export type NumberNames = ReadonlyMap<string, number>;

export interface RouteNames {
  readonly tables: NumberNames;
  readonly protocols: NumberNames;
  readonly scopes: NumberNames;
  readonly realms: NumberNames;
  readonly dsfields: NumberNames;
  /** Interface groups. */
  readonly groups: NumberNames;
}

/** The file of iproute2 for each kind, under its directories. */
export const NAME_FILES: Readonly<Record<keyof RouteNames, string>> = {
  tables: 'rt_tables',
  protocols: 'rt_protos',
  scopes: 'rt_scopes',
  realms: 'rt_realms',
  dsfields: 'rt_dsfield',
  groups: 'group',
};

/** What everybody knows, whatever the files say (linux/rtnetlink.h). */
export const KNOWN_NAMES: RouteNames = {
  tables: new Map([
    ['default', 253],
    ['main', 254],
    ['local', 255],
  ]),
  protocols: new Map([
    ['unspec', 0],
    ['redirect', 1],
    ['kernel', 2],
    ['boot', 3],
    ['static', 4],
    ['ra', 9],
    ['zebra', 11],
    ['bird', 12],
    ['dhcp', 16],
    ['keepalived', 18],
    ['bgp', 186],
    ['isis', 187],
    ['ospf', 188],
    ['rip', 189],
    ['eigrp', 192],
  ]),
  scopes: new Map([
    ['global', 0],
    ['universe', 0],
    ['site', 200],
    ['link', 253],
    ['host', 254],
    ['nowhere', 255],
  ]),
  realms: new Map([['cosmos', 0]]),
  dsfields: new Map(),
  groups: new Map([['default', 0]]),
};

/** Lines of a number and a name, `#` begins a comment; what does not look like that is passed over. */
export function readNames(text: string): Map<string, number> {
  const names = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^\s*(0x[0-9a-f]{1,8}|\d{1,10})\s+([^\s#]+)/i.exec(line);
    if (match && Number(match[1]) <= 0xffffffff && !names.has(match[2]!)) names.set(match[2]!, Number(match[1]));
  }
  return names;
}

/** The names that files give to numbers; the first text that has a name counts, and last what everybody knows. */
export function routeNames(textsOf: (file: string) => readonly string[]): RouteNames {
  const names = (kind: keyof RouteNames): NumberNames => {
    const all = new Map<string, number>();
    const sources = [...textsOf(NAME_FILES[kind]).map(readNames), KNOWN_NAMES[kind]];
    for (const source of sources) for (const [name, number] of source) if (!all.has(name)) all.set(name, number);
    return all;
  };
  return {
    tables: names('tables'),
    protocols: names('protocols'),
    scopes: names('scopes'),
    realms: names('realms'),
    dsfields: names('dsfields'),
    groups: names('groups'),
  };
}
