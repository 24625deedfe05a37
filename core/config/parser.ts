// From lines to a tree of statements. Tolerant: whatever the braces look like, there is a tree, and one message for
// each root cause. Pure; which keyword may open which block is told by a grammar.
import type { Place, Report } from './diagnostics.ts';
import { tokenize, type Word } from './lexer.ts';
import { atMost } from './source-limits.ts';
import type { SourceLine } from './source-line.ts';

/** A keyword with its arguments, and its block if it has one. */
export interface Statement {
  /** At least the keyword; the words of one line. */
  readonly words: readonly Word[];
  readonly line: SourceLine;
  block?: readonly Statement[];
}

/** What the parser must know of the language to recover from a lost brace. */
export interface Grammar<Block> {
  readonly root: Block;
  /** The block that a keyword opens inside another block; undefined: it opens none, or is unknown there. */
  opens(parent: Block, keyword: string): Block | undefined;
  /** The block that the keyword opens may be left out. Absent: none may. */
  standsAlone?(parent: Block, keyword: string): boolean;
  /** The content of this block is skipped: nothing is known of what belongs into it. */
  isOpaque(block: Block): boolean;
  /** The block is a list of addresses or names, not of keywords. Absent: no list is told from other blocks. */
  isList?(block: Block): boolean;
  /** The keyword may stand in the block. Absent: nothing is known of keywords without a block. */
  knows?(block: Block, keyword: string): boolean;
}

/** No honest file nests deeper; it keeps the work for each line bounded, and what walks the tree off its stack's end. */
const MAX_NESTING = 32;
/** Of one kind of broken braces or quotes, more messages than this help nobody. */
const MAX_ALIKE = 20;

interface Frame<Block> {
  readonly statement: Statement | undefined;
  readonly items: Statement[];
  /** undefined: inside something unknown. */
  readonly block: Block | undefined;
  /** A } was taken for that of a block inside it that had no {; it may as well have been its own. */
  perhapsClosed?: true;
}

export const keywordOf = (statement: Statement): string => statement.words[0]!.text;
export const placeOfStatement = (statement: Statement): Place => statement.words[0]!.place;

/** The statements of a file. Never throws; every word and block ends up in the tree or in a message. */
export function parse<Block>(
  lines: readonly SourceLine[],
  grammar: Grammar<Block>,
  report: Report,
): readonly Statement[] {
  return new Parser(grammar, report).parse(lines);
}

class Parser<Block> {
  readonly #grammar: Grammar<Block>;
  readonly #report: Pick<Report, 'add'>;
  readonly #stack: Frame<Block>[];
  /** A statement that should have a block and did not open it on its line. */
  #awaiting: Statement | undefined;
  /** Blocks open beyond MAX_NESTING; what is in them is dropped. */
  #beyond = 0;
  /** A } too many was told, and no block has been opened since. */
  #toldSurplus = false;

  constructor(grammar: Grammar<Block>, report: Report) {
    this.#grammar = grammar;
    this.#report = atMost(MAX_ALIKE, report);
    this.#stack = [{ statement: undefined, items: [], block: grammar.root }];
  }

  parse(lines: readonly SourceLine[]): readonly Statement[] {
    for (const line of lines) {
      let words: Word[] = [];
      for (const token of tokenize(line, this.#report)) {
        if (token.kind === 'word') words.push(token);
        else {
          const opens = token.kind === '{';
          if (words.length > 0) this.#statement({ words, line }, opens);
          words = [];
          if (opens) this.#open(token.place);
          else this.#close(token.place);
        }
      }
      if (words.length > 0) this.#statement({ words, line }, false);
    }
    this.#end();
    return this.#stack[0]!.items;
  }

  get #top(): Frame<Block> {
    return this.#stack.at(-1)!;
  }

  #statement(statement: Statement, opens: boolean): void {
    if (this.#beyond > 0) return;
    this.#openImplicitly(statement);
    if (this.#leavesList(statement, this.#top.block, this.#stack.at(-2)?.block)) {
      this.#missingClose(this.#stack.length - 1, `before ${keywordOf(statement)}`, placeOfStatement(statement));
      this.#stack.pop();
    }
    if (opens || this.#opensAtRoot(statement)) this.#closeForgotten(statement);
    this.#top.items.push(statement);
    const { block } = this.#top;
    const keyword = keywordOf(statement);
    const expects =
      block !== undefined &&
      this.#grammar.opens(block, keyword) !== undefined &&
      this.#grammar.standsAlone?.(block, keyword) !== true;
    this.#awaiting = expects || opens ? statement : undefined;
  }

  /** `vrrp_instance X` deep inside another block, even with its brace on the next line. */
  #opensAtRoot(statement: Statement): boolean {
    const { root } = this.#grammar;
    return (
      statement.words.length > 1 &&
      this.#stack.length > 1 &&
      keywordOf(statement).startsWith('vrrp_') &&
      this.#grammar.opens(root, keywordOf(statement)) !== undefined
    );
  }

  #open(place: Place): void {
    this.#toldSurplus = false;
    if (this.#stack.length > MAX_NESTING) {
      if (this.#awaiting) this.#awaiting.block = [];
      this.#awaiting = undefined;
      if (this.#beyond++ === 0)
        this.#report.add('W023', place, `blocks are nested more than ${MAX_NESTING} deep; this one is ignored`);
      return;
    }
    const last = this.#awaiting ?? this.#top.items.at(-1);
    this.#awaiting = undefined;
    if (last === undefined || last.block !== undefined) {
      this.#report.add('W023', place, 'this { has no keyword before it; its block is ignored');
      this.#stack.push({ statement: undefined, items: [], block: undefined });
    } else this.#push(last);
  }

  #push(statement: Statement): void {
    const items: Statement[] = [];
    statement.block = items;
    const parent = this.#top.block;
    const block = parent === undefined ? undefined : this.#grammar.opens(parent, keywordOf(statement));
    this.#stack.push({ statement, items, block });
  }

  #close(place: Place): void {
    if (this.#beyond > 0) {
      this.#beyond--;
      return;
    }
    if (this.#awaiting !== undefined) {
      this.#forgetAwaiting();
      this.#top.perhapsClosed = true;
      return;
    }
    if (this.#stack.length > 1) this.#stack.pop();
    else if (!this.#toldSurplus) {
      this.#toldSurplus = true;
      this.#report.add('W022', place, 'this } closes nothing', { suggestion: 'look for a } too many above it' });
    }
  }

  /** The brace after the last statement never came: what follows belongs to it all the same, unless it cannot. */
  #openImplicitly(next: Statement): void {
    const statement = this.#awaiting;
    if (statement === undefined) return;
    this.#awaiting = undefined;
    this.#missingOpen(statement);
    const { block } = this.#top;
    const inner = block === undefined ? undefined : this.#grammar.opens(block, keywordOf(statement));
    if (!this.#leavesList(next, inner, block)) this.#push(statement);
  }

  /** In a list there is a keyword of the block around it: an address or a name would not look like this. */
  #leavesList(statement: Statement, list: Block | undefined, around: Block | undefined): boolean {
    if (list === undefined || around === undefined || this.#grammar.isList?.(list) !== true) return false;
    const keyword = keywordOf(statement);
    const second = statement.words[1]?.text;
    // A tracked name may happen to be a keyword: `notify`, `notify weight 5`.
    const telling = second === undefined ? keyword.includes('_') : second !== 'weight';
    return telling && this.#grammar.knows?.(around, keyword) === true;
  }

  /** The block ends before the brace of its last statement came. */
  #forgetAwaiting(): void {
    const statement = this.#awaiting;
    this.#awaiting = undefined;
    if (statement !== undefined) this.#missingOpen(statement);
  }

  #missingOpen(statement: Statement): void {
    statement.block ??= [];
    this.#report.add('W020', statement.words.at(-1)!.place, `there is no { after ${keywordOf(statement)}`, {
      suggestion: 'put { at the end of this line, before any comment',
    });
  }

  /** A block that does not belong here but into an enclosing block: the } between them is missing. */
  #closeForgotten(statement: Statement): void {
    const keyword = keywordOf(statement);
    const belongs = (frame: Frame<Block>) =>
      frame.block !== undefined && this.#grammar.opens(frame.block, keyword) !== undefined;
    if (belongs(this.#top)) return;
    const depth = this.#stack.findLastIndex(belongs);
    if (depth === -1) return;
    const opaque = this.#stack
      .slice(depth + 1)
      .some(({ block }) => block === undefined || this.#grammar.isOpaque(block));
    if (opaque && !(depth === 0 && statement.words.length > 1 && keyword.startsWith('v'))) return;
    this.#missingClose(depth + 1, `before ${keyword}`, placeOfStatement(statement));
    this.#stack.length = depth + 1;
  }

  /** The outermost block that is left is told; those inside it are left with it. */
  #missingClose(depth: number, where: string, at: Place): void {
    const { statement, perhapsClosed } = this.#stack[depth]!;
    if (perhapsClosed && depth === this.#stack.length - 1) return;
    const name = statement ? keywordOf(statement) : 'block';
    const from = statement ? ` (opened in line ${statement.line.line})` : '';
    this.#report.add('W021', at, `the } of ${name}${from} is missing ${where}`);
  }

  #end(): void {
    this.#forgetAwaiting();
    const open = this.#stack[1]?.statement;
    if (open) this.#missingClose(1, 'at the end of the file', placeOfStatement(open));
    this.#stack.length = 1;
  }
}
