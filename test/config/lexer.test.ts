// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test has such variables
// From a line to words and braces. Where a row says "2.2.7", keepalived was asked and does the same.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Report } from '../../core/config/diagnostics.ts';
import { tokenize } from '../../core/config/lexer.ts';
import { commentStart } from '../../core/config/source.ts';

/** Words as text, braces as themselves. */
const words = (text: string): readonly string[] =>
  tokenize({ file: 'f', line: 1, text }, new Report()).map((token) =>
    token.kind === 'word' ? token.text : token.kind,
  );

describe('words and braces', () => {
  for (const [text, expected] of [
    ['priority 100', ['priority', '100']],
    ['  priority\t100\r', ['priority', '100']],
    ['state MASTER # comment', ['state', 'MASTER']],
    ['state MASTER ! comment', ['state', 'MASTER']],
    ['# all comment {', []],
    ['auth_pass "a # b ! c"', ['auth_pass', 'a # b ! c']],
    ['auth_pass a\\#b\\!c', ['auth_pass', 'a#b!c']],
    ['auth_pass "a\\#b"', ['auth_pass', 'a\\#b']], // 2.2.7
    ['a"b c"d', ['a', 'b c', 'd']], // 2.2.7
    ['"a b"c', ['a b', 'c']], // 2.2.7
    ['"a""b"', ['a', 'b']], // 2.2.7
    ['"" x', ['', 'x']], // 2.2.7
    ["'f g'", ["'f", "g'"]], // 2.2.7: single quotes are no quotes here
    ['a\\ny "b\\ny"', ['a\\ny', 'b\\ny']], // 2.2.7: escapes are a matter of commands
    ['auth_pass "say \\"hi\\""', ['auth_pass', 'say "hi"']],
    ['vrrp_instance VI_1{', ['vrrp_instance', 'VI_1', '{']],
    ['vrrp_instance VI_1 {', ['vrrp_instance', 'VI_1', '{']],
    ['group { a b }', ['group', '{', 'a', 'b', '}']],
    ['a{b}c', ['a', '{', 'b', '}', 'c']], // 2.2.7
    ['a {"b c"}', ['a', '{', 'b c', '}']], // 2.2.7
    ['}}', ['}', '}']],
    ['script "/x {a} }"', ['script', '/x {a} }']],
    ['a ${NAME}b', ['a', '${NAME}b']],
    ['a ${NAME', ['a', '${NAME']],
    ['router_id 主机 # 注释', ['router_id', '主机']],
    ['a "open end', ['a', 'open end']],
    ['a \\', ['a', '\\']],
  ] as const)
    test(`${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => assert.deepEqual(words(text), expected));

  test('a comment character inside double quotes is none, inside single quotes it is', () => {
    assert.equal(commentStart('a "#" # b'), 6);
    assert.equal(commentStart("a '#'"), 3);
    assert.equal(commentStart('a'), 1);
  });
  test('a quote after a backslash neither opens nor closes quotes for a comment', () => {
    assert.equal(commentStart('script "/x \\"a # b\\" c" # d'), 24);
  });
  test('every word knows its column and length, from 1', () => {
    const [, word] = tokenize({ file: 'f', line: 7, text: '   priority "1 0"' }, new Report());
    assert.deepEqual(word?.place, { file: 'f', line: 7, column: 13, length: 5 });
  });
  test('a quote that the line does not close is told from where it began', () => {
    const report = new Report();
    tokenize({ file: 'f', line: 7, text: 'a "b c # d' }, report);
    assert.deepEqual(
      report.sorted().map(({ code, place }) => [code, place.column, place.length]),
      [['W024', 3, 8]],
    );
  });
});
