// check-script with real programs: how they end, whom they run as, and that nothing of them outlives their time.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { checkPrograms } from '../../core/app/programs.ts';
import { needs } from '../support/needs.ts';
import { checkOf, read } from './block.ts';

describe('check-script', needs('root'), () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'vk-script-'));
    chmodSync(directory, 0o755);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  /** A program, as the line that names it with an argument of its own: a file. */
  const script = (name: string, text: string, mode = 0o755): string => {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, mode);
    return `command ${path} ${path}.out`;
  };
  const look = (lines: string) => checkOf('script', lines).look();

  test('status 0 is good, whatever it writes', async () => {
    assert.deepEqual(await look(script('good', 'echo all is well; exit 0')), { ok: true });
    assert.deepEqual(await look('command true'), { ok: true });
  });

  test('another status fails with its last line', async () => {
    const lines = script('bad', 'echo first; echo queue is full >&2; echo; exit 3');
    assert.deepEqual(await look(lines), { ok: false, why: 'exit code 3: queue is full' });
    assert.deepEqual(await look('command false'), { ok: false, why: 'exit code 1' });
  });

  test('a program that is killed fails with the signal', async () => {
    assert.deepEqual(await look(script('killed', 'kill -SEGV $$')), { ok: false, why: 'killed by SIGSEGV' });
  });

  test('arguments reach it as they are, and of the environment nothing but PATH', async () => {
    const path = join(directory, 'arguments');
    script('arguments', 'out="$1"; shift; { printf "%s\\n" "$@"; tr "\\0" "\\n" < /proc/self/environ; } > "$out"');
    assert.deepEqual(await look(`command ${path} ${path}.out "a b" $HOME ;true`), { ok: true });
    const [first, second, third, ...environment] = readFileSync(`${path}.out`, 'utf8').trim().split('\n');
    assert.deepEqual([first, second, third], ['a b', '$HOME', ';true']);
    assert.ok(
      environment.every((line) => /^(PATH|PWD|OLDPWD|SHLVL|_)=/.test(line)),
      environment.join(' '),
    );
  });

  test('much output is no burden, and its last line is found', async () => {
    const lines = script('loud', 'head -c 3000000 /dev/zero | tr "\\0" x; echo; echo the end; exit 1');
    assert.deepEqual(await look(lines), { ok: false, why: 'exit code 1: the end' });
  });

  test('when its time is up, it and what it started are killed, not asked to go', async () => {
    const path = join(directory, 'slow.out');
    const lines = script(
      'slow',
      'trap "touch $1.asked" TERM; sleep 1000 & echo $! > "$1.new"; mv "$1.new" "$1"; wait; wait',
    );
    const abort = new AbortController();
    const probing = checkOf('script', lines).probe(abort.signal);
    const child = await new Promise<number>((resolve) => {
      const look = setInterval(() => {
        if (!statSync(path, { throwIfNoEntry: false })) return;
        clearInterval(look);
        resolve(Number(readFileSync(path, 'utf8')));
      }, 10);
    });
    assert.ok(!isGone(child));
    abort.abort();
    assert.deepEqual(await probing, { ok: false, why: 'stopped by vipkeeper' });
    await until(() => isGone(child));
    assert.ok(!statSync(`${path}.asked`, { throwIfNoEntry: false }));
  });

  test('a program that is not there or may not be run fails, and works once that is put right', async () => {
    const path = join(directory, 'later');
    const check = checkOf('script', `command ${path}`);
    assert.deepEqual(await check.look(), { ok: false, why: `${path}: not found` });
    script('later', 'exit 0', 0o644);
    assert.deepEqual(await check.look(), { ok: false, why: `${path}: not executable for user id 0` });
    chmodSync(path, 0o755);
    assert.deepEqual(await check.look(), { ok: true });
    assert.deepEqual(await look('command ./relative'), {
      ok: false,
      why: './relative is a relative path: write the full path',
    });
  });

  test('a program without its interpreter could not be started', async () => {
    const path = join(directory, 'orphan');
    writeFileSync(path, '#!/nonexistent/interpreter\n');
    chmodSync(path, 0o755);
    const why = 'could not be started: no such program, or its interpreter (the #! line) does not exist';
    assert.deepEqual(await look(`command ${path}`), { ok: false, why });
  });

  test('one that others can change is not run as root with script security, and with one warning without', async () => {
    const lines = script('open', 'exit 0', 0o777);
    const path = join(directory, 'open');
    const why = `unsafe permissions found for ${path}: ${path} is writable by others (mode 0777)`;
    assert.deepEqual(await look(lines), { ok: false, why });
    const said: string[] = [];
    const lax = checkOf('script', lines, 5_000, {
      programs: checkPrograms({ user: 'root', group: undefined, strict: false }),
      log: (level, text) => said.push(`${level} ${text}`),
    });
    assert.deepEqual(await lax.look(), { ok: true });
    assert.deepEqual(await lax.look(), { ok: true });
    assert.equal(said.length, 1);
    assert.match(said[0]!, /^warning .*open is unsafe: .*writable by others/);
    assert.deepEqual(await look(`${lines}\nuser nobody`), { ok: true });
  });

  test('it runs as script_user, or as its own user and group', async () => {
    const lines = script('who', 'echo "$(id -un) $(id -gn) $(id -G | wc -w)"; exit 1');
    assert.deepEqual(await look(lines), { ok: false, why: 'exit code 1: root root 1' });
    const own = `${lines}\nuser nobody\ngroup daemon`;
    assert.deepEqual(await look(own), { ok: false, why: 'exit code 1: nobody daemon 1' });
    const programs = checkPrograms({ user: 'nobody', group: undefined, strict: true });
    const theirs = await checkOf('script', lines, 5_000, { programs }).look();
    assert.deepEqual(theirs, { ok: false, why: 'exit code 1: nobody nogroup 1' });
    assert.deepEqual(await look(`${lines}\nuser nosuch`), { ok: false, why: 'there is no user nosuch' });
  });
});

/** Ended, though its parent may not have asked for its end yet. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

test('where nobody starts programs it cannot run and says so', () => {
  assert.throws(
    () => checkOf('script', 'command true', 5_000, { programs: undefined } as never),
    /whoever runs it starts no programs/,
  );
});

test('the block of script is checked', () => {
  assert.deepEqual(read('script', 'command /bin/true -x\nuser nobody').options, {
    command: ['/bin/true', '-x'],
    user: 'nobody',
  });
  assert.deepEqual(read('script', 'user nobody').said, ['W059 script in vrrp_check c needs command']);
  assert.deepEqual(read('script', 'command /bin/true\ngroup nogroup').said, ['group: it counts only with user']);
});
