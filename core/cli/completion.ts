// `vipkeeper completion SHELL`: prints a script that completes verbs, options and keywords.
import { builtInLanguage } from '../app/built-in.ts';
import { completionScript, SHELLS, type Verb } from '../config/completion.ts';
import { CHECK_CONFIG } from './check-config.ts';
import { HELP_COMMAND } from './help.ts';
import { RUN } from './run.ts';
import { EXIT_OK, EXIT_USAGE, STATUS_COMMAND, type Terminal } from './status.ts';
import { type CommandSpec, parseCommand, suggest } from './usage.ts';

export const COMPLETION_COMMAND: CommandSpec = {
  name: 'completion',
  summary: 'print a script that completes the command line',
  operands: [{ name: 'SHELL', help: SHELLS.join(', '), required: true }],
  options: [],
  exitCodes: [
    [EXIT_OK, 'the script was printed'],
    [EXIT_USAGE, 'the command line is wrong'],
  ],
  notes: [
    'bash: vipkeeper completion bash > /etc/bash_completion.d/vipkeeper',
    'zsh: vipkeeper completion zsh > /usr/local/share/zsh/site-functions/_vipkeeper',
    'fish: vipkeeper completion fish > /etc/fish/completions/vipkeeper.fish',
  ],
};

/** The verbs whose options are known here. */
const COMMANDS: readonly CommandSpec[] = [RUN, STATUS_COMMAND, CHECK_CONFIG, HELP_COMMAND, COMPLETION_COMMAND];

/**
 * Runs the verb; returns the exit code.
 * @param verbs every verb of the program, by name and summary
 */
export function completion(
  argv: readonly string[],
  terminal: Pick<Terminal, 'out' | 'err' | 'columns'>,
  verbs: readonly { readonly name: string; readonly summary: string }[] = COMMANDS,
): number {
  const parsed = parseCommand(COMPLETION_COMMAND, argv, terminal.columns);
  if (parsed.type === 'help') {
    terminal.out(parsed.text);
    return EXIT_OK;
  }
  if (parsed.type === 'error') {
    terminal.err(`${parsed.message}\n`);
    return EXIT_USAGE;
  }
  const [name = ''] = parsed.args.operands;
  const shell = SHELLS.find((one) => one === name);
  if (shell === undefined) {
    const near = suggest(name, SHELLS);
    const hint = near === undefined ? `known are ${SHELLS.join(', ')}` : `did you mean ${near}?`;
    terminal.err(`vipkeeper completion: there is no completion for ${name}, ${hint}\n`);
    return EXIT_USAGE;
  }
  terminal.out(completionScript(shell, verbs.map(withOptions), builtInLanguage));
  return EXIT_OK;
}

function withOptions(verb: { readonly name: string; readonly summary: string }): Verb {
  return COMMANDS.find(({ name }) => name === verb.name) ?? { ...verb, options: [] };
}
