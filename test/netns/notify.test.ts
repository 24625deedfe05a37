// What a change is told as: our agent and the real keepalived, on the same configuration and through the same history,
// write the same bytes into named pipes and start the same programs with the same arguments.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { inside, run } from '../../core/cli/demo/network.ts';
import type { Received } from '../agent/smtp-server.ts';
import { conf } from '../support/conf.ts';
import type { Kind } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = (last: number) => `192.0.2.${last}/24`;

/** Writes its arguments down, and what our agent says in the environment. */
const JOURNAL = `#!/bin/sh
echo "$# $*" >> "$(dirname "$0")/journal"
[ -z "$VIPKEEPER_STATE" ] ||
  echo "$VIPKEEPER_INSTANCE $VIPKEEPER_STATE $VIPKEEPER_PREVIOUS_STATE $VIPKEEPER_REASON $VIPKEEPER_PEER" >> "$(dirname "$0")/environment"
`;
/** Reads its last argument to the end, whatever it is sent, and writes down when it began, was told to end, and ended. */
const READER = `#!/bin/sh
for fifo; do :; done
here=$(dirname "$0")
echo "start $*" >> "$here/reader"
trap 'echo TERM >> "$here/reader"' TERM
(trap '' TERM; exec cat "$fifo" >> "$here/global") &
pid=$!
while kill -0 $pid 2>/dev/null; do wait $pid; done
echo end >> "$here/reader"
`;

function text(directory: string, third: boolean): string {
  const instance = (last: number, priority: number, extra: readonly string[]) => ({
    name: `V${last}`,
    vrid: 50 + last,
    version: 3 as const,
    advertInt: 0.2,
    priority,
    vips: [VIP(100 + last)],
    extra: [`notify "${directory}/n.sh V${last}"`, ...extra],
  });
  const globals = [
    `vrrp_notify_fifo ${directory}/vrrp.fifo`,
    `notify_fifo ${directory}/global.fifo`,
    `notify_fifo_script "${directory}/reader.sh own"`,
  ];
  const instances = [
    instance(1, 120, [
      `notify_master "${directory}/n.sh one master"`,
      `notify_backup "${directory}/n.sh one backup"`,
      `notify_fault "${directory}/n.sh one fault"`,
      `notify_stop "${directory}/n.sh one stop"`,
      `notify_master_rx_lower_pri "${directory}/n.sh one rival"`,
    ]),
    instance(2, 50, ['notify_priority_changes', 'track_interface {', '  d0 weight -20', '}']),
    ...(third ? [instance(3, 10, ['notify_deleted', `notify_fault "${directory}/n.sh three fault"`])] : []),
  ];
  const group = `vrrp_sync_group G {\n group {\n  V1\n }\n notify "${directory}/n.sh G"\n notify_master "${directory}/n.sh G master"\n}\n`;
  return `${conf({ routerId: 'r1', globals, instances })}\n${group}`;
}

interface Told {
  /** As read from vrrp_notify_fifo, and by the program of notify_fifo. */
  readonly pipe: string;
  readonly global: string;
  readonly reader: string;
  readonly journal: readonly string[];
  readonly environment: readonly string[];
}

/** Start, a weight that counts, a rival that loses, a fault, a reload that removes an instance, the end. */
async function history(kind: Kind): Promise<Told> {
  await using lab = await Lab.create({ name: `tell-${kind[0]}` });
  try {
    const { namespace } = lab.host('r1');
    const ip = (...words: readonly string[]) => run('ip', '-n', namespace, ...words);
    await ip('link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1');
    for (const link of ['d0', 'd1']) await ip('link', 'set', link, 'up');
    const directory = lab.directory;
    lab.script('n.sh', JOURNAL);
    lab.script('reader.sh', READER);
    const daemon = lab.daemon(kind, 'r1', text(directory, true));
    const file = (name: string) => {
      const path = join(directory, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    };
    await using reader = new PipeReader(join(directory, 'vrrp.fifo'));
    const says = (line: string) => until(`${line} in the pipe`, () => reader.text.trimEnd().endsWith(line));

    await daemon.up();
    await says('INSTANCE "V3" MASTER 10');
    assert.equal(statSync(join(directory, 'vrrp.fifo')).mode & 0o777, 0o600);
    await ip('link', 'set', 'd0', 'down');
    await says('INSTANCE "V2" MASTER_PRIORITY 30');
    await ip('link', 'set', 'd0', 'up');
    await says('INSTANCE "V2" MASTER_PRIORITY 50');
    await rival(lab);
    await says('INSTANCE "V1" MASTER_RX_LOWER_PRI 120');
    await until('the program for it', () => file('journal').includes('one rival'));
    await ip('link', 'set', 'eth0', 'down');
    await says('INSTANCE "V3" FAULT 10');
    await ip('link', 'set', 'eth0', 'up');
    await lab.probe('192.0.2.103'); // somebody asks for the address: the port is not deaf
    await says('INSTANCE "V3" MASTER 10');
    daemon.reload(text(directory, false));
    await says('INSTANCE "V3" DELETED 10');
    await until('the program that was told to end has ended', () => file('reader').split('start').length === 3);
    await until('the program for the end of V3', () => file('journal').includes('V3 DELETED'));
    await daemon.stop();
    await says('GROUP "G" STOP 0');
    // keepalived does not wait for the last one.
    const ends = kind === 'vipkeeper' ? 2 : 1;
    await until('the end of the reader', () => (file('reader').match(/^end$/gm) ?? []).length >= ends);
    assert.equal(existsSync(join(directory, 'vrrp.fifo')), false, 'the pipe is gone');
    const lines = (name: string) => file(name).trimEnd().split('\n');
    return {
      pipe: once(reader.text),
      global: once(file('global')),
      reader: file('reader')
        .replaceAll(directory, 'DIR')
        .replace(/end\n$/, ''),
      journal: lines('journal'),
      environment: lines('environment'),
    };
  } catch (error) {
    throw lab.explain(error);
  }
}

/** A router that hears nothing and advertises VRID 51 with a priority that loses, for a moment. */
async function rival(lab: Lab): Promise<void> {
  const deaf =
    'add table ip t; add chain ip t i { type filter hook prerouting priority -300; }; add rule ip t i ip protocol 112 drop';
  await run('ip', ...inside(lab.host('r2').namespace, 'nft', deaf));
  const instances = [{ vrid: 51, priority: 20, version: 3 as const, advertInt: 0.2, vips: [VIP(101)] }];
  const other = lab.daemon('keepalived', 'r2', conf({ routerId: 'r2', instances }));
  await other.up();
  await lab.adverts('r2', 2, 51);
  await other.stop();
}

/** How often a rival is told of depends on how long it lived. */
const once = (pipe: string): string => pipe.replaceAll(/((?:.*MASTER_RX_LOWER_PRI.*\n))\1+/g, '$1');

/** Programs that are started as often as packets come, once. */
const counted = (journal: readonly string[]): readonly string[] =>
  journal.filter((line, i) => !line.includes('rival') || journal.indexOf(line) === i);

/** Reads a named pipe for as long as there is one, however often it is made anew. */
class PipeReader implements AsyncDisposable {
  readonly #child: ChildProcess;
  text = '';

  constructor(path: string) {
    const loop = 'while :; do [ -p "$1" ] && cat "$1"; sleep 0.02; done';
    this.#child = spawn('sh', ['-c', loop, 'sh', path], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    this.#child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.kill(-this.#child.pid!, 'SIGKILL');
    await new Promise((resolve) => this.#child.once('close', resolve));
  }
}

async function until(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !condition(); await new Promise((resolve) => setTimeout(resolve, 10)))
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
}

const EXPECTED = `GROUP "G" BACKUP 0
INSTANCE "V1" BACKUP 120
INSTANCE "V2" BACKUP 50
INSTANCE "V3" BACKUP 10
INSTANCE "V1" MASTER 120
GROUP "G" MASTER 0
INSTANCE "V2" MASTER 50
INSTANCE "V3" MASTER 10
INSTANCE "V2" MASTER_PRIORITY 30
INSTANCE "V2" MASTER_PRIORITY 50
INSTANCE "V1" MASTER_RX_LOWER_PRI 120
INSTANCE "V1" FAULT 120
GROUP "G" FAULT 0
INSTANCE "V2" FAULT 50
INSTANCE "V3" FAULT 10
INSTANCE "V1" BACKUP 120
GROUP "G" BACKUP 0
INSTANCE "V2" BACKUP 50
INSTANCE "V3" BACKUP 10
INSTANCE "V1" MASTER 120
GROUP "G" MASTER 0
INSTANCE "V2" MASTER 50
INSTANCE "V3" MASTER 10
INSTANCE "V3" DELETED 10
INSTANCE "V1" STOP 120
INSTANCE "V2" STOP 50
GROUP "G" STOP 0
`;

/** The words that a program got for one name, in order. */
const statesOf = (journal: readonly string[], name: string): readonly string[] =>
  journal.flatMap((line) => new RegExp(`(?:INSTANCE|GROUP) ${name} (\\w+)`).exec(line)?.[1] ?? []);

describe('what is told', { concurrency: 2, ...needs('root', 'ip', 'nft', 'keepalived') }, () => {
  test('the same bytes in named pipes, and the same arguments for programs, as keepalived', async () => {
    const [theirs, ours] = await Promise.all([history('keepalived'), history('vipkeeper')]);
    assert.equal(ours.pipe, theirs.pipe, 'vrrp_notify_fifo');
    assert.equal(ours.pipe, EXPECTED);
    assert.equal(ours.global, theirs.global, 'notify_fifo');
    assert.equal(ours.reader, theirs.reader, 'the life of the program that reads it');
    assert.deepEqual([...counted(ours.journal)].sort(), [...counted(theirs.journal)].sort(), 'arguments');
    // Ours also come in order; keepalived's overtake one another.
    for (const name of ['V1', 'V2', 'V3', 'G']) {
      const told = EXPECTED.split('\n').filter((line) => line.includes(`"${name}"`) && !/PRI/.test(line));
      assert.deepEqual(
        statesOf(ours.journal, name),
        told.map((line) => line.split(' ')[2]),
      );
    }
    assert.ok(ours.environment.includes('V1 MASTER_RX_LOWER_PRI MASTER lower-priority 192.0.2.2'));
    assert.ok(ours.environment.includes('V1 STOP MASTER no-successor '), 'the state that was told before');
    assert.ok(ours.environment.some((line) => line.startsWith('G STOP MASTER shutdown')));
  });

  for (const result of ['true', 'false'] as const)
    test(`at the start checks say ${result}: the same lines as keepalived, in the same order for each name`, async () => {
      const start = async (kind: Kind): Promise<string> => {
        await using lab = await Lab.create({ name: `${result}-${kind[0]}` });
        try {
          const path = join(lab.directory, 'fifo');
          const scripts = [
            { name: 'chk', command: `/bin/${result}` },
            { name: 'weight', command: '/bin/true', weight: 10 },
          ];
          const instance = { version: 3 as const, advertInt: 0.1, priority: 120 };
          const instances = [
            { ...instance, vips: [VIP(100)], trackScripts: ['chk'] },
            { ...instance, vips: [VIP(101)], trackScripts: ['weight'], extra: ['notify_priority_changes'] },
          ];
          const text = conf({ routerId: 'r1', globals: [`vrrp_notify_fifo ${path}`], scripts, instances });
          const group = 'vrrp_sync_group G {\n group {\n  VI_1\n }\n}\n';
          await using reader = new PipeReader(path);
          const daemon = lab.daemon(kind, 'r1', `${text}\n${group}`).start();
          const told = result === 'true' ? /"VI_1" MASTER.*"G" MASTER/s : /"G" FAULT/;
          await until('both have a state', () => told.test(reader.text) && /"VI_2" MASTER 130/.test(reader.text));
          await daemon.stop();
          await until('the end', () => /GROUP "G" STOP 0\n$/.test(reader.text));
          return reader.text;
        } catch (error) {
          throw lab.explain(error);
        }
      };
      const [theirs, ours] = await Promise.all([start('keepalived'), start('vipkeeper')]);
      for (const name of ['VI_1', 'VI_2', 'G']) {
        const about = (text: string) => text.split('\n').filter((line) => line.includes(`"${name}"`));
        assert.deepEqual(about(ours), about(theirs));
      }
    });

  test('mail goes through a relay: once for each state, and again after a refusal for a while', async () => {
    await using lab = await Lab.create({ name: 'mail' });
    try {
      const { namespace } = lab.host('r1');
      const server = [process.execPath, join(import.meta.dirname, '../agent/smtp-server.ts'), '192.0.2.1', '1'];
      const relay = spawn('ip', [...inside(namespace, ...server)], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        const mails: Received[] = [];
        let listening = false;
        createInterface({ input: relay.stdout }).on('line', (line) => {
          const said = JSON.parse(line) as Received | 'listening';
          if (said === 'listening') listening = true;
          else mails.push(said);
        });
        await until('the relay', () => listening);
        const globals = [
          'notification_email {',
          '  admin@example.com',
          '  two@example.com',
          '}',
          'notification_email_from vk@example.com',
          'smtp_server 192.0.2.1 2525',
          'smtp_helo_name r1.example.com',
          'smtp_connect_timeout 5',
        ];
        const instance = { version: 3 as const, advertInt: 0.1, vips: [VIP(100)], priority: 150 };
        const instances = [
          { ...instance, extra: ['smtp_alert', 'track_script {', '  chk', '}'] },
          { ...instance, vips: [VIP(101)] },
        ];
        const healthy = lab.script('healthy', '');
        const scripts = [{ name: 'chk', command: `/usr/bin/test -e ${healthy}`, interval: 1 }];
        const daemon = await lab.daemon('vipkeeper', 'r1', conf({ routerId: 'r1', globals, scripts, instances })).up();
        await lab.master('r1', '192.0.2.100');
        const [refused] = await daemon.says(/mail-failed .*/, 5_000);
        assert.match(refused, /451 busy.*effect="tried again in 5s"/);
        await until('the mail about MASTER', () => mails.length === 1, 15_000);
        rmSync(healthy);
        await until('the mail about FAULT', () => mails.length === 2);
        await daemon.stop();
        assert.deepEqual(
          mails.map(({ headers }) => headers['Subject']),
          ['[r1] VRRP Instance VI_1 - Entering MASTER state', '[r1] VRRP Instance VI_1 - Entering FAULT state'],
        );
        const [first] = mails;
        assert.deepEqual(
          [first?.helo, first?.from, first?.to, first?.headers['From'], first?.headers['To']],
          [
            'r1.example.com',
            'vk@example.com',
            ['admin@example.com', 'two@example.com'],
            'vk@example.com',
            'admin@example.com, two@example.com',
          ],
        );
        assert.match(first?.body ?? '', /owns its virtual addresses now/);
      } finally {
        relay.kill('SIGTERM');
      }
    } catch (error) {
      throw lab.explain(error);
    }
  });
});
