#!/usr/bin/env node
// The command line: finds the verb; called by keepalived's name or with its flags, it is keepalived.
// Loads only what the verb needs: a daemon should not carry the demo in its memory.
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../app/version.ts';
import { overviewText, unknownVerb } from './usage.ts';

const ABOUT =
  'vipkeeper keeps virtual IP addresses reachable: it elects a master with VRRP, reads keepalived.conf as it is, and speaks to keepalived as a peer.';

interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly run: (argv: readonly string[]) => Promise<number>;
}

const VERBS: readonly Verb[] = [
  {
    name: 'run',
    summary: 'run the agent in the foreground',
    run: async (argv) => (await import('./run.ts')).run(argv),
  },
  {
    name: 'status',
    summary: 'show each virtual router: its state, since when and why, its addresses, peers and checks',
    run: async (argv) => (await import('./status.ts')).status(argv, terminal()),
  },
  {
    name: 'check-config',
    summary: 'say what is wrong with a configuration file, without starting anything',
    run: check,
  },
  {
    name: 'demo',
    summary: 'show a pair failing over, in namespaces of its own',
    run: async () => (await import('./demo.ts')).demo(),
  },
  {
    name: 'help',
    summary: 'explain a verb, or a keyword of the configuration file',
    run: explain,
  },
  {
    name: 'completion',
    summary: 'print a script that completes the command line',
    run: async (argv) => (await import('./completion.ts')).completion(argv, terminal(), VERBS),
  },
  {
    name: 'keepalived',
    summary: 'behave as keepalived, with its options, files and exit codes; a link of that name does, too',
    run: (argv) => asKeepalived(argv, 'vipkeeper keepalived'),
  },
];

/** @param argv without the program. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  const specs = VERBS.map(({ name, summary }) => ({ name, summary, options: [] }));
  if (first === undefined || first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
    process.stdout.write(overviewText(ABOUT, specs));
    return first === undefined ? 2 : 0;
  }
  if (first === '--version' || first === '-v') {
    process.stdout.write(`vipkeeper ${VERSION}\n`);
    return 0;
  }
  if (first.startsWith('-')) return asKeepalived(argv, 'vipkeeper', true);
  const verb = VERBS.find(({ name }) => name === first);
  if (verb !== undefined) return verb.run(rest);
  process.stderr.write(`${unknownVerb(first, specs)}\n`);
  return 2;
}

/** A verb explains itself; every other word is a keyword. */
async function explain(argv: readonly string[]): Promise<number> {
  const verb = argv.length === 1 ? VERBS.find(({ name }) => name === argv[0]) : undefined;
  return verb === undefined ? (await import('./help.ts')).help(argv, terminal()) : verb.run(['--help']);
}

async function check(argv: readonly string[]): Promise<number> {
  const { checkConfig, nodeCheckIo } = await import('./check-config.ts');
  return checkConfig(argv, nodeCheckIo());
}

async function asKeepalived(argv: readonly string[], program: string, foreground = false): Promise<number> {
  return (await import('./keepalived.ts')).keepalived(argv, { program, foreground });
}

function terminal() {
  return {
    out: (text: string) => process.stdout.write(text),
    err: (text: string) => process.stderr.write(text),
    interactive: process.stdout.isTTY === true,
    columns: process.stdout.columns,
    environment: process.env,
  };
}

const invoked = process.argv[1];
if (invoked !== undefined && realpathSync(invoked) === fileURLToPath(import.meta.url))
  process.exit(
    await (basename(invoked) === 'keepalived'
      ? asKeepalived(process.argv.slice(2), 'keepalived')
      : main(process.argv.slice(2))),
  );
