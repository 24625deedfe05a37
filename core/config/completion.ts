// Scripts that complete the command line in bash, zsh and fish, made of the verbs, their options and the rows of the
// language. Pure.
import { allBlocks, allEntries } from './help.ts';
import { BARE, type Language } from './language.ts';

/** A verb as completion needs it; the table of a command has more. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly {
    readonly name: string;
    readonly short?: string;
    readonly value?: string;
    readonly help: string;
    readonly hidden?: boolean;
  }[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Verbs that take the name of a file. */
const FILES = ['check-config', 'run', 'keepalived'];

export function completionScript(shell: Shell, verbs: readonly Verb[], language: Language = BARE): string {
  const words = { keywords: keywords(language), blocks: blocks(language), shells: SHELLS.join(' ') };
  if (shell === 'bash') return bash(verbs, words);
  if (shell === 'zsh') return zsh(verbs, words);
  return fish(verbs, words);
}

interface Words {
  readonly keywords: string;
  readonly blocks: string;
  readonly shells: string;
}

const keywords = (language: Language): string =>
  [...new Set(allEntries(language).map(({ keyword }) => keyword))].toSorted((a, b) => (a < b ? -1 : 1)).join(' ');

const blocks = (language: Language): string =>
  allBlocks(language)
    .map(({ block }) => block.name)
    .join(' ');

const shown = (verb: Verb) => verb.options.filter(({ hidden }) => !hidden);
const longOptions = (verb: Verb): string => [...shown(verb).map(({ name }) => `--${name}`), '--help'].join(' ');

/** What may stand after the options of a verb, in words of the shell. */
function operands(verb: Verb, { keywords: all, shells }: Words): string {
  return verb.name === 'help' ? all : verb.name === 'completion' ? shells : '';
}

/** Options whose value is one of a few: `--format text|json`. */
const choicesOf = (value: string | undefined): string | undefined =>
  value && /^[a-z0-9-]+(\|[a-z0-9-]+)+$/.test(value) ? value.replaceAll('|', ' ') : undefined;

function bash(verbs: readonly Verb[], words: Words): string {
  const values = verbs.flatMap((verb) =>
    shown(verb).flatMap(({ name, value }) => {
      const choices = name === 'block' ? words.blocks : choicesOf(value);
      if (choices !== undefined)
        return [`    ${verb.name}:--${name}) COMPREPLY=($(compgen -W '${choices}' -- "$word")); return ;;`];
      return value === undefined ? [] : [`    ${verb.name}:--${name}) COMPREPLY=($(compgen -f -- "$word")); return ;;`];
    }),
  );
  const cases = verbs.map((verb) => {
    const operand = operands(verb, words);
    const file = FILES.includes(verb.name) ? ' -f' : '';
    return `    ${verb.name}) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '${longOptions(verb)}' -- "$word")); else COMPREPLY=($(compgen${file} -W '${operand}' -- "$word")); fi ;;`;
  });
  return `# bash completion of vipkeeper; made by: vipkeeper completion bash
_vipkeeper() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${verbs.map(({ name }) => name).join(' ')} --help --version' -- "$word"))
    return
  fi
  case $verb:$before in
${values.join('\n')}
  esac
  case $verb in
${cases.join('\n')}
  esac
}
complete -o filenames -F _vipkeeper vipkeeper
`;
}

function zsh(verbs: readonly Verb[], words: Words): string {
  const quoted = (text: string): string => text.replace(/['’]/g, '').replace(/[[\]:\\]/g, '\\$&');
  const cases = verbs.map((verb) => {
    const options = shown(verb).map(({ name, value, help }) => {
      const choices = name === 'block' ? words.blocks : choicesOf(value);
      const action = choices === undefined ? '_files' : `(${choices})`;
      return `'--${name}${value === undefined ? '' : '='}[${quoted(help)}]${value === undefined ? '' : `:${quoted(value)}:${action}`}'`;
    });
    const operand = operands(verb, words);
    const rest = operand !== '' ? `'*:word:(${operand})'` : FILES.includes(verb.name) ? "'*:file:_files'" : '';
    return `    ${verb.name}) _arguments ${[...options, "'--help[show help]'", rest].filter(Boolean).join(' ')} ;;`;
  });
  return `#compdef vipkeeper
# zsh completion of vipkeeper; made by: vipkeeper completion zsh
_vipkeeper() {
  if ((CURRENT == 2)); then
    local -a verbs=(${verbs.map(({ name, summary }) => `'${quoted(name)}:${quoted(summary)}'`).join(' ')})
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  ((CURRENT--))
  case $verb in
${cases.join('\n')}
  esac
}
_vipkeeper "$@"
`;
}

function fish(verbs: readonly Verb[], words: Words): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = verbs.flatMap((verb) => {
    const when = `-n '__fish_seen_subcommand_from ${verb.name}'`;
    const options = shown(verb).map(({ name, short, value, help }) => {
      const choices = name === 'block' ? words.blocks : choicesOf(value);
      const argument = value === undefined ? '' : choices === undefined ? ' -r -F' : ` -x -a ${quoted(choices)}`;
      return `complete -c vipkeeper ${when} -l ${name}${short ? ` -s ${short}` : ''}${argument} -d ${quoted(help)}`;
    });
    const operand = operands(verb, words);
    return [
      `complete -c vipkeeper -n __fish_use_subcommand -f -a ${verb.name} -d ${quoted(verb.summary)}`,
      ...options,
      ...(operand === '' ? [] : [`complete -c vipkeeper ${when} -f -a ${quoted(operand)}`]),
      ...(FILES.includes(verb.name) ? [`complete -c vipkeeper ${when} -F`] : []),
    ];
  });
  return `# fish completion of vipkeeper; made by: vipkeeper completion fish\n${lines.join('\n')}\n`;
}
