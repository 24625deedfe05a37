// What is made of the rows for people: help, man page, completion.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { builtInLanguage } from '../../core/app/built-in.ts';
import { completion } from '../../core/cli/completion.ts';
import { help } from '../../core/cli/help.ts';
import { completionScript, SHELLS } from '../../core/config/completion.ts';
import { allBlocks, allEntries, entriesOf, exampleOf } from '../../core/config/help.ts';
import { load } from '../../core/config/load.ts';
import { manPage } from '../../core/config/man.ts';

function run(verb: typeof help, ...argv: readonly string[]) {
  const texts = { out: '', err: '' };
  const code = verb(argv, {
    out: (text: string) => {
      texts.out += text;
    },
    err: (text: string) => {
      texts.err += text;
    },
    columns: 80,
  });
  return { code, ...texts };
}

describe('vipkeeper help', () => {
  test('a keyword is explained with its range, default and place', () => {
    const { code, out } = run(help, 'down_timer_adverts');
    assert.equal(code, 0);
    assert.equal(
      out,
      `down_timer_adverts 1..100
  Missed adverts until the master counts as down.

  in       vrrp_instance
  range    1 to 100
  default  3
`,
    );
  });
  test('a keyword with several meanings is explained for each block', () => {
    const { out } = run(help, 'weight');
    for (const block of ['vrrp_script', 'track_file', 'real_server']) assert.match(out, new RegExp(`in +${block}`));
    assert.doesNotMatch(run(help, 'weight', '--block', 'vrrp_script').out, /track_file/);
  });
  test('an old name leads to the new one', () => {
    const { out } = run(help, 'vrrp_track_file');
    assert.match(out, /^track_file NAME/);
    assert.match(out, /vrrp_track_file is an old name of it/);
  });
  test('what has no effect says so, inside blocks without effect, too', () => {
    assert.match(run(help, 'unicast_fault_no_peer').out, /effect +none yet: without peers it uses multicast/);
    assert.match(run(help, 'linkbeat_use_polling').out, /effect +none, and none is needed/);
    assert.match(run(help, 'TCP_CHECK').out, /effect +none: load balancing is not done here/);
    assert.doesNotMatch(run(help, 'priority').out, /effect/);
  });
  test('a slip of the keyboard is answered with the keyword that was meant', () => {
    const { code, err } = run(help, 'prioritiy');
    assert.equal(code, 1);
    assert.match(err, /there is no keyword prioritiy, did you mean priority\?/);
    assert.match(run(help, '--block', 'vrrp_instanc').err, /did you mean vrrp_instance\?/);
  });
  test('without a keyword the blocks are listed, and the keywords of a block on demand', () => {
    for (const { block } of allBlocks(builtInLanguage).slice(1))
      assert.ok(run(help).out.includes(`  ${block.name} `), block.name);
    assert.match(run(help, '--block', 'auth_hmac').out, /^ {2}key .*\n {2}active_key/);
  });
  test('every keyword can be asked for, and fits into 80 columns but for its synopsis', () => {
    for (const keyword of builtInLanguage.keywords) {
      const { code, out } = run(help, keyword);
      assert.equal(code, 0, keyword);
      for (const line of out.split('\n')) if (line.startsWith('  ')) assert.ok(line.length <= 80, line);
    }
  });
  test('wrong usage is exit 2, help of the verb 0', () => {
    assert.equal(run(help, '--nonsense').code, 2);
    assert.equal(run(help, '--help').code, 0);
    assert.doesNotThrow(() => JSON.parse(run(help, '--json-schema').out));
  });
  test('an old name and the new one are the same entries', () =>
    assert.deepEqual(entriesOf('vmac_garp_intvl'), entriesOf('garp_extra_if')));
});

describe('examples', () => {
  test('those of the top level are files that say nothing but what they cost', () => {
    for (const entry of allEntries(builtInLanguage).filter(({ blocks }) => blocks.includes('the top level'))) {
      const lines = exampleOf(entry);
      if (lines === undefined) continue;
      const { diagnostics } = load(
        { file: 'f', text: `${lines.join('\n')}\n` },
        { hostName: 'h', language: builtInLanguage },
      );
      const mistakes = diagnostics.filter(({ code }) => /^(E|W01|W02|W04[04])/.test(code));
      assert.deepEqual(mistakes, [], entry.keyword);
    }
  });
});

describe('the man page', () => {
  test('is the one that the rows make; node deploy/man/generate.ts rewrites it', () => {
    const committed = readFileSync(new URL('../../deploy/man/vipkeeper.conf.5', import.meta.url), 'utf8');
    assert.equal(committed, manPage(builtInLanguage));
  });
  test('holds every keyword, in ASCII, with no line that is a request by accident', () => {
    const page = manPage(builtInLanguage);
    assert.match(page, /^[\n\x20-\x7e]*$/);
    for (const { keyword } of allEntries(builtInLanguage))
      assert.ok(page.includes(`.B ${keyword.replaceAll('-', '\\-')}`), keyword);
    for (const line of page.split('\n').filter((one) => /^[.']/.test(one)))
      assert.match(line, /^\.(\\"|TH|SH|SS|PP|TP|B|BR|I|RS|RE|nf|fi)( |$)/);
  });
});

describe('vipkeeper completion', () => {
  test('each shell gets a script with verbs, options and keywords', () => {
    for (const shell of SHELLS) {
      const { code, out } = run(completion, shell);
      assert.equal(code, 0);
      for (const word of ['check-config', 'strict', 'vrrp_garp_master_delay', 'sarif', 'auth_hmac', 'vipkeeper'])
        assert.ok(out.includes(word), `${shell}: ${word}`);
    }
  });
  test('verbs that the program adds are completed, too', () => {
    const texts: string[] = [];
    const terminal = { out: (text: string) => texts.push(text), err: () => {}, columns: 80 };
    completion(['fish'], { ...terminal, out: (text) => void texts.push(text) }, [{ name: 'demo', summary: 'show' }]);
    assert.match(texts.join(''), /-a demo -d 'show'/);
  });
  test('bash completes keywords, options and their values', () => {
    const script = `${completionScript(
      'bash',
      [
        { name: 'help', summary: 'explain', options: [{ name: 'block', value: 'BLOCK', help: 'only' }] },
        { name: 'check', summary: 'check', options: [{ name: 'format', value: 'text|json', help: 'how' }] },
      ],
      builtInLanguage,
    )}
answer() { COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _vipkeeper; echo "\${COMPREPLY[*]}"; }
answer vipkeeper ch
answer vipkeeper help down_
answer vipkeeper help --block auth
answer vipkeeper check --f
answer vipkeeper check --format j
`;
    const answers = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    assert.equal(answers, 'check\ndown_timer_adverts\nauthentication auth_hmac\n--format\njson\n');
  });
  test('an unknown shell is wrong usage', () => {
    assert.deepEqual(run(completion, 'zhs').code, 2);
    assert.match(run(completion, 'zhs').err, /did you mean zsh\?/);
    assert.equal(run(completion).code, 2);
  });
});
