// The whole language as one tree of tables, and questions about it.
import type { Grammar } from '../parser.ts';
import { root } from './root.ts';
import { type Block, opensOf, rowOf } from './row.ts';

export { root } from './root.ts';

/** Every keyword with the blocks in which it is known. */
const homes: ReadonlyMap<string, readonly string[]> = collectHomes();

function collectHomes(): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  const note = (keyword: string, block: string) => map.set(keyword, [...(map.get(keyword) ?? []), block]);
  const seen = new Set<Block>();
  const visit = (block: Block) => {
    seen.add(block);
    const where = block.name === 'root' ? 'the top level' : block.name;
    for (const [name, row] of Object.entries(block.rows)) {
      for (const keyword of [name, ...(row.synonyms ?? [])]) note(keyword, where);
      const inner = opensOf(row);
      if (inner && !inner.lines && !seen.has(inner)) visit(inner);
    }
  };
  visit(root);
  return map;
}

/** The blocks in which a keyword is known, as people would say it. */
export const blocksWith = (keyword: string): readonly string[] => homes.get(keyword) ?? [];

/** Every keyword that is known anywhere. */
export const allKeywords = (): readonly string[] => [...homes.keys()];

export const grammar: Grammar<Block> = {
  root,
  opens: (parent, keyword) => (parent.lines ? undefined : opensOf(rowOf(parent, keyword)?.row)),
  isOpaque: (block) => block.opaque === true,
  isList: (block) => block.lines !== undefined,
  knows: (block, keyword) => block.lines === undefined && rowOf(block, keyword) !== undefined,
};
