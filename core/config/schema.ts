// The configuration as JSON by keywords, and the JSON Schema of it, both made of the rows: what a tool needs that writes
// or checks such files without reading their language. Pure.
import type { Field } from './fields.ts';
import { type Block, type Found, type Headed, type Keyword, type Named, opensOf, type Rows } from './keywords/row.ts';
import { BARE, type Language } from './language.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type JsonObject = { readonly [name: string]: Json };

/** JSON Schema 2020-12; blocks are told once, under $defs. `@name` and `@head` are what stands between a keyword and its brace. */
export function configurationSchema({ root }: Language = BARE): JsonObject {
  const defs = new Map<string, Json>();
  const schema = blockSchema(root, defs);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'vipkeeper configuration',
    description: 'keepalived.conf as JSON: a property for each keyword',
    ...schema,
    $defs: Object.fromEntries([...defs].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function blockSchema(block: Block, defs: Map<string, Json>): JsonObject & { readonly properties: JsonObject } {
  const properties = Object.fromEntries(
    Object.entries(block.rows).map(([keyword, row]) => [keyword, keywordSchema(row, defs)]),
  );
  return { type: 'object', description: block.help, properties, additionalProperties: false };
}

function keywordSchema(row: Keyword, defs: Map<string, Json>): JsonObject {
  const fallback = defaultOf(row);
  return {
    ...valueSchema(row, defs),
    description: row.help,
    ...(fallback !== undefined && { default: fallback }),
    ...(row.synonyms && { 'x-synonyms': row.synonyms }),
    ...(row.since !== undefined && { 'x-since': row.since }),
    ...((row.acted === false || row.moot !== undefined) && { 'x-effect': 'none' }),
  };
}

function valueSchema(row: Keyword, defs: Map<string, Json>): JsonObject {
  const inner = opensOf(row);
  if (inner?.lines) return { type: 'array', items: {} };
  if (inner) {
    const item = blockReference(inner, row, defs);
    return row.repeat === 'join' ? { type: 'array', items: item } : item;
  }
  return row.repeat === 'join' ? { type: 'array', items: {} } : fieldSchema(row.value);
}

/** How a block is written besides its keywords: with a name, with further words, or bare. */
type Head = 'name' | 'head' | undefined;

const headOf = (row: Keyword): Head =>
  row.value.synopsis.startsWith('{') ? undefined : row.value.synopsis.startsWith('NAME') ? 'name' : 'head';

function blockReference(block: Block, row: Keyword, defs: Map<string, Json>): JsonObject {
  const head = headOf(row);
  if (!defs.has(block.name)) {
    defs.set(block.name, true);
    const schema = blockSchema(block, defs);
    const first: JsonObject =
      head === 'name'
        ? { '@name': { type: 'string' } }
        : head === 'head'
          ? { '@head': { type: 'array', items: { type: 'string' } } }
          : {};
    defs.set(block.name, {
      ...schema,
      properties: { ...first, ...schema.properties },
      ...(head !== undefined && { required: [`@${head}`] }),
    });
  }
  return { $ref: `#/$defs/${block.name}` };
}

function fieldSchema(field: Field<unknown>): JsonObject {
  switch (field.kind) {
    case 'flag':
      return { type: 'boolean' };
    case 'mark':
      return { const: true };
    case 'integer':
      return { type: 'integer', minimum: field.min!, maximum: field.max! };
    case 'seconds':
    case 'milliseconds':
      return { type: 'number', minimum: field.min!, maximum: field.max! };
    case 'choice':
      return field.optional ? {} : { enum: field.choices! };
    case 'address':
    case 'interface':
    case 'text':
    case 'word':
      return { type: 'string' };
    case 'command':
      return {
        type: 'object',
        properties: { argv: { type: 'array', items: { type: 'string' }, minItems: 1 }, user: { type: 'object' } },
        required: ['argv'],
      };
    case 'block':
    case 'list':
    case 'record':
    case 'none':
      return {};
  }
}

/** The default as a value, where the text of the row is one. */
function defaultOf({ value, default: text }: Keyword): Json | undefined {
  if (text === undefined) return undefined;
  if (value.kind === 'flag') return text === 'on' ? true : text === 'off' ? false : undefined;
  if (value.kind === 'integer' || value.kind === 'seconds' || value.kind === 'milliseconds')
    return /^-?[\d.]+$/.test(text) ? Number(text) : undefined;
  if (value.kind === 'choice') return value.choices?.includes(text) ? text : undefined;
  return ['address', 'interface', 'text'].includes(value.kind) && !text.includes(' ') ? text : undefined;
}

/** The values of a block as JSON that its schema describes: times in the unit of their keyword, no places. */
export function valuesAsJson(block: Block, values: Readonly<Record<string, Found<unknown> | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(values).flatMap(([keyword, found]) => {
      const row = (block.rows as Rows)[keyword];
      return row && found ? [[keyword, valueAsJson(row, found.value)]] : [];
    }),
  );
}

function valueAsJson(row: Keyword, value: unknown): Json {
  const inner = opensOf(row);
  if (inner && !inner.lines) {
    const one = (of: unknown): Json => blockAsJson(inner, headOf(row), of);
    return Array.isArray(value) ? value.map(one) : one(value);
  }
  if (row.value.kind === 'seconds') return (value as number) / 1_000_000;
  if (row.value.kind === 'milliseconds') return (value as number) / 1000;
  return plain(value);
}

type InnerValues = Readonly<Record<string, Found<unknown>>>;

function blockAsJson(block: Block, head: Head, value: unknown): Json {
  if (head === undefined) return valuesAsJson(block, value as InnerValues);
  if (head === 'name') {
    const { name, values } = value as Named<InnerValues>;
    return { '@name': name, ...valuesAsJson(block, values) };
  }
  const { head: words, values } = value as Headed<InnerValues>;
  return { '@head': words.map((word) => word.text), ...valuesAsJson(block, values) };
}

/** Without places, which are the business of messages. */
function plain(value: unknown): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      key === 'place' || inner === undefined ? [] : [[key, plain(inner)]],
    ),
  );
}
