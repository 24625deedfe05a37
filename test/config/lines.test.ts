// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test has such variables
// Files to lines to words: comments, quotes, braces, includes, variables, conditions.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Report } from '../../core/config/diagnostics.ts';
import { tokenize } from '../../core/config/lexer.ts';
import { commentStart, readLines, type SourceText } from '../../core/config/source.ts';

/** Words as text, braces as themselves. */
const words = (text: string): readonly string[] =>
  tokenize({ file: 'f', line: 1, text }, new Report()).map((token) =>
    token.kind === 'word' ? token.text : token.kind,
  );

function linesOf(text: string, files: Readonly<Record<string, string>> = {}, configId = 'me') {
  const report = new Report();
  const reader = {
    include: (pattern: string): readonly SourceText[] =>
      Object.keys(files)
        .filter((file) => file === pattern || (pattern.endsWith('*') && file.startsWith(pattern.slice(0, -1))))
        .map((file) => ({ file, text: files[file]! })),
  };
  const lines = readLines({ file: '/etc/a.conf', text }, { configId, reader, environment: { SITE: 'north' } }, report);
  return {
    lines,
    texts: lines.map((line) => line.text.trim()).filter((line) => line !== ''),
    codes: report.sorted().map((d) => d.code),
  };
}

describe('words and braces', () => {
  for (const [text, expected] of [
    ['priority 100', ['priority', '100']],
    ['  priority\t100\r', ['priority', '100']],
    ['state MASTER # comment', ['state', 'MASTER']],
    ['state MASTER ! comment', ['state', 'MASTER']],
    ['# all comment {', []],
    ['auth_pass "a # b ! c"', ['auth_pass', 'a # b ! c']],
    ['auth_pass a\\#b\\!c', ['auth_pass', 'a#b!c']],
    ['auth_pass x"y z"w', ['auth_pass', 'xy zw']],
    ['auth_pass "say \\"hi\\""', ['auth_pass', 'say "hi"']],
    ['vrrp_instance VI_1{', ['vrrp_instance', 'VI_1', '{']],
    ['vrrp_instance VI_1 {', ['vrrp_instance', 'VI_1', '{']],
    ['group { a b }', ['group', '{', 'a', 'b', '}']],
    ['}}', ['}', '}']],
    ['script "/x {a} }"', ['script', '/x {a} }']],
    ['a ${NAME}b', ['a', '${NAME}b']],
    ['router_id 主机 # 注释', ['router_id', '主机']],
    ['a "open end', ['a', 'open end']],
  ] as const)
    test(`${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => assert.deepEqual(words(text), expected));

  test('a comment character inside double quotes is none, inside single quotes it is', () => {
    assert.equal(commentStart('a "#" # b'), 6);
    assert.equal(commentStart("a '#'"), 3);
    assert.equal(commentStart('a'), 1);
  });

  test('every word knows its column and length, from 1', () => {
    const [, word] = tokenize({ file: 'f', line: 7, text: '   priority "1 0"' }, new Report());
    assert.deepEqual(word?.place, { file: 'f', line: 7, column: 13, length: 5 });
  });
});

describe('lines', () => {
  test('a byte order mark and CRLF line ends are no part of any word', () => {
    assert.deepEqual(linesOf('\ufeffa\r\nb\r\n').texts, ['a', 'b']);
  });
  test('a variable is replaced where it is used, with the value that it has then', () => {
    assert.deepEqual(linesOf('$A=one\nx $A\n$A=two\nx ${A}y').texts, ['x one', 'x twoy']);
  });
  test('a variable may use another that is defined later', () => {
    assert.deepEqual(linesOf('$A=${B}!\n$B=2\nx ${A}').texts, ['x 2']);
  });
  test('a variable of several lines becomes several lines at the place of its use', () => {
    const { lines, texts } = linesOf('$V=\\\nauth_type PASS\\\nauth_pass k\n$V');
    assert.deepEqual(texts, ['auth_type PASS', 'auth_pass k']);
    assert.deepEqual(
      lines.map((line) => line.line),
      [4, 4],
    );
  });
  test('an undefined variable stays as it is and is told', () => {
    const { texts, codes } = linesOf('x ${NONE}');
    assert.deepEqual([texts, codes], [['x ${NONE}'], ['W027']]);
  });
  test('variables that expand into each other end in a message', () => {
    assert.deepEqual(linesOf('$A=${B} ${B}\n$B=${A} ${A}\nx ${A}').codes, ['W028']);
  });
  test('an environment variable can be used, and is empty when unset', () => {
    assert.deepEqual(linesOf('x ${_ENV SITE} ${_ENV NONE}y').texts, ['x north y']);
  });
  test('a line with @id is kept on that machine only, with @^id on all others', () => {
    const text = '@me priority 1\n@you priority 2\n@^me priority 3\n@^you priority 4';
    assert.deepEqual(linesOf(text).texts, ['priority 1', 'priority 4']);
  });
  test('a kept @id line keeps its columns', () => {
    assert.equal(linesOf('@me priority 1').lines[0]!.text.indexOf('priority'), 4);
  });
  test('the words of an expanded line point to the variable in the file', () => {
    const [line] = linesOf('$P=300\npriority ${P} x').lines;
    const [, value, last] = tokenize(line!, new Report());
    assert.deepEqual(value?.place, { file: '/etc/a.conf', line: 2, column: 10, length: 4 });
    assert.equal(last?.place.column, 15);
  });
  test('include reads all matching files beside the including one', () => {
    const files = { '/etc/d/1.conf': 'one\ninclude x/2', '/etc/d/x/2': 'two' };
    assert.deepEqual(linesOf('include d/*', files).texts.slice(0, 2), ['one', 'two']);
    assert.deepEqual(linesOf('zero\ninclude d/1.conf\nthree', files).texts, ['zero', 'one', 'two', 'three']);
  });
  test('an include that matches nothing is told and does no harm', () => {
    const { texts, codes } = linesOf('a\ninclude /none/*.conf\nb');
    assert.deepEqual([texts, codes], [['a', 'b'], ['W026']]);
  });
  test('a file that includes itself ends', () => {
    assert.ok(linesOf('include a.conf', { '/etc/a.conf': 'x\ninclude a.conf' }).codes.includes('W028'));
  });
});
