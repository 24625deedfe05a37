#!/usr/bin/env node
// The command line: finds the verb, and translates keepalived's own flags into verbs.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../app/version.ts';
import { checkConfig, nodeCheckIo } from './check-config.ts';
import { demo } from './demo.ts';
import { DEFAULT_CONFIG_FILE, RUN, run } from './run.ts';
import { STATUS_COMMAND, status } from './status.ts';
import { type CommandSpec, overviewText, unknownVerb } from './usage.ts';

const ABOUT =
  'vipkeeper keeps virtual IP addresses reachable: it elects a master with VRRP, reads keepalived.conf as it is, and speaks to keepalived as a peer.';

interface Verb extends Pick<CommandSpec, 'name' | 'summary'> {
  readonly run: (argv: readonly string[]) => number | Promise<number>;
}

const VERBS: readonly Verb[] = [
  { ...RUN, run },
  {
    ...STATUS_COMMAND,
    run: (argv) =>
      status(argv, {
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
        interactive: process.stdout.isTTY === true,
        columns: process.stdout.columns,
        environment: process.env,
      }),
  },
  {
    name: 'check-config',
    summary: 'say what is wrong with a configuration file, without starting anything',
    run: (argv) => checkConfig(argv, nodeCheckIo()),
  },
  {
    name: 'demo',
    summary: 'show a pair failing over, in namespaces of its own',
    run: () => demo(),
  },
];

/** @param argv without the program. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  const specs = VERBS.map(({ name, summary }) => ({ name, summary, options: [] }));
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    process.stdout.write(overviewText(ABOUT, specs));
    return first === undefined ? 2 : 0;
  }
  if (first === '--version' || first === '-v') {
    process.stdout.write(`vipkeeper ${VERSION}\n`);
    return 0;
  }
  if (first.startsWith('-')) return asKeepalived(argv);
  const verb = VERBS.find(({ name }) => name === first);
  if (verb !== undefined) return verb.run(rest);
  process.stderr.write(`${unknownVerb(first, specs)}\n`);
  return 2;
}

/** keepalived's flags without a verb: `-t` checks the file, everything else runs. Letters may stand together (-nlD). */
function asKeepalived(argv: readonly string[]): number | Promise<number> {
  const test = argv.findIndex((word) => word === '--config-test' || /^-[a-zA-Z]*t[a-zA-Z]*$/.test(word));
  if (test < 0) return run(argv);
  const at = argv.findIndex((word) => word === '--use-file' || /^-[a-zA-Z]*f$/.test(word));
  const long = argv.find((word) => word.startsWith('--use-file='))?.slice('--use-file='.length);
  return checkConfig([long ?? (at < 0 ? undefined : argv[at + 1]) ?? DEFAULT_CONFIG_FILE], nodeCheckIo());
}

const invoked = process.argv[1];
if (invoked !== undefined && realpathSync(invoked) === fileURLToPath(import.meta.url))
  process.exit(await main(process.argv.slice(2)));
