// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test has such variables
// From files to lines: line ends, definitions and their uses, conditions, includes. Where a row says "2.2.7",
// keepalived was asked and does the same.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Report } from '../../core/config/diagnostics.ts';
import { tokenize } from '../../core/config/lexer.ts';
import { readLines, type SourceText } from '../../core/config/source.ts';

type Files = Readonly<Record<string, string | null>>;

/** Files by path; null: there, but not to be read. A pattern may end with `*`; the name of a folder is a file. */
function linesOf(text: string, files: Files = {}, configId = 'me') {
  const report = new Report();
  const reader = {
    include: (pattern: string): readonly SourceText[] =>
      Object.keys(files)
        .filter(
          (file) =>
            file === pattern ||
            (pattern.endsWith('*') &&
              file.slice(0, file.lastIndexOf('/') + 1) === pattern.slice(0, pattern.lastIndexOf('/') + 1) &&
              file.startsWith(pattern.slice(0, -1))),
        )
        .map((file) => ({ file, text: files[file] ?? '', ...(files[file] === null && { unreadable: 'EACCES' }) })),
  };
  const environment = { SITE: 'north' };
  const lines = readLines({ file: '/etc/a.conf', text }, { configId, reader, environment }, report);
  const found = report.sorted(['/etc/a.conf']);
  return {
    lines,
    texts: lines.map((line) => line.text.trim()),
    codes: found.map((d) => d.code),
    places: found.map(({ code, place }) => `${code}@${place.file}:${place.line}:${place.column}`),
  };
}

/** The places of all words of all lines. */
const placesOf = (text: string, files: Files = {}): readonly string[] =>
  linesOf(text, files).lines.flatMap((line) =>
    tokenize(line, new Report()).map(
      ({ place, kind, ...word }) =>
        `${'text' in word ? word.text : kind}@${place.file.replace('/etc/', '')}:${place.line}:${place.column}+${place.length}`,
    ),
  );

describe('line ends and characters', () => {
  for (const [what, text, texts, codes] of [
    ['a byte order mark and CRLF line ends are no part of any word', '\ufeffa\r\nb\r\n', ['a', 'b'], []],
    ['the last line needs no end', 'a\nb', ['a', 'b'], []],
    ['lines without anything but white space and comments may be anywhere', '\n \t\n# x\n\na', ['a'], []],
    ['a line with a NUL byte is ignored, and told once a file', 'a\nb\0\nc\0\nd', ['a', 'd'], ['W025']],
    ['a line of 65,537 characters is ignored and told', `a\n${'x'.repeat(65_537)}\nb`, ['a', 'b'], ['W025']],
    ['a line of 5,000 characters is a line', `${'x'.repeat(5000)}`, ['x'.repeat(5000)], []],
    ['UTF-8 stays as it is', 'router_id 主机-ä', ['router_id 主机-ä'], []],
  ] as const)
    test(what, () => {
      const got = linesOf(text);
      assert.deepEqual([got.texts, got.codes], [texts, codes]);
    });
});

describe('definitions', () => {
  for (const [what, text, texts, codes = []] of [
    ['a variable has the value that it has where it is used', '$A=1\nx $A\n$A=2\nx ${A}y', ['x 1', 'x 2y']],
    ['a variable may use another that is defined later', '$A=${B}!\n$B=2\nx ${A}', ['x 2']],
    [
      'a value changes with the variable that it uses', // the example of the manual
      '$BASE=10.2.${SUB}\n$SUB=0\n${BASE}.100/32\n$SUB=10\n${BASE}.100/32',
      ['10.2.0.100/32', '10.2.10.100/32'],
    ],
    ['white space around a value is none of it', '   $A=  a b  c  \n"[${A}]"', ['"[a b  c]"']], // 2.2.7
    ['a comment behind a value is none of it', '$A=a # b\n"[${A}]"', ['"[a]"']], // 2.2.7
    ['a quoted value keeps its quotes', '$A="a # b"\nx $A', ['x "a # b"']],
    ['a value may be empty', '$A=\n"a${A}b"', ['"ab"']], // 2.2.7
    ['$NAME counts before white space, comma, ) and the end', '$A=1\n$A, $A) $A', ['1, 1) 1']], // 2.2.7
    ['$NAME before anything else is text', '$A=1\n$Ax $A/2 $A. $A: "$A"', ['$Ax $A/2 $A. $A: "$A"']], // 2.2.7
    ['$NAME counts inside a word', '$A=1\nx$A y', ['x1 y']], // 2.2.7
    ['a backslash does not protect a $', '$A=1\n\\$A \\${A}', ['\\1 \\1']], // 2.2.7
    ['a space before = makes no definition', '$A = 1\nx $A', ['$A = 1', 'x $A']], // 2.2.7
    ['a name begins with a letter or underscore', '$1A=1\n$A-B=1\n$_A=3\nx $_A', ['$1A=1', '$A-B=1', 'x 3']], // 2.2.7
    ['an undefined $NAME stays and is normal', 'x $NONE $1', ['x $NONE $1']],
    ['an undefined ${NAME} stays and is told once', 'x ${NONE}\ny ${NONE}', ['x ${NONE}', 'y ${NONE}'], ['W027']],
    ['a use in a comment is none', 'x # ${NONE}', ['x # ${NONE}']],
    [
      'an escaped comment character in a value is the character, in quotes and out',
      '$A=a\\#b\n"${A}" ${A}',
      ['"a#b" a\\#b'],
    ],
    ['a variable may make a condition', '$I=@me\n$O=@you\n$I a\n$O b', ['a']], // 2.2.7
    ['a variable may make an include, and a part of its path', '$I=include\n$I x/${I}', [], ['W026']], // 2.2.7
    ['a definition may stand behind a brace', 'x { $A=1\n${A} }', ['x {', '1 }']], // 2.2.7
    [
      'variables that expand into each other end in a message',
      '$A=${B} ${B}\n$B=${A} ${A}\nx ${A}\ny',
      ['y'],
      ['W028'],
    ],
    ['a variable that uses itself is told once', '$A=${A}x\nx ${A}\ny ${A}\nz', ['z'], ['W028']],
    ['twenty variables, each using the next, are no endless loop', `${chain(20)}x \${V0}`, ['x end']],
    ['an environment variable can be used, and is empty when unset', 'x ${_ENV SITE} ${_ENV NONE}y', ['x north y']],
    ['built-in variables', '"${_PWD} ${_INSTANCE} $_INSTANCE', ['"/etc me me']], // 2.2.7
    ['built-in variables take no parameters but where they have some', '${_PWD x}', ['${_PWD x}'], ['W027']], // 2.2.7
    ['${_HASH} and ${_BANG} are the characters in quotes', '"${_HASH} ${_BANG}"', ['"# !"']], // 2.2.7
    ['${_HASH} begins no comment', 'x a${_HASH}b', ['x a\\#b']],
  ] as const satisfies readonly (readonly [string, string, readonly string[], (readonly string[])?])[])
    test(what, () => {
      const got = linesOf(text);
      assert.deepEqual([got.texts, got.codes], [texts, codes]);
    });
});

/** `$V0=${V1}` … */
function chain(length: number): string {
  return Array.from({ length }, (_, i) => `$V${i}=${i + 1 < length ? `\${V${i + 1}}` : 'end'}\n`).join('');
}

describe('definitions of several lines', () => {
  for (const [what, text, texts, codes = []] of [
    ['become several lines where they are used', '$M=\\\na\\\nb\n$M\nc', ['a', 'b', 'c']],
    ['may have a first line behind the =', '$M= a \\\n b\nx_$M', ['x_a', 'b']], // 2.2.7
    ['end with the first line without a backslash, an empty one too', '$M= \\\na \\\n\nb\n$M', ['b', 'a']], // 2.2.7
    ['go on after a comment, and after a backslash before one', '$M= \\\na \\ # x\n# y \\\nb\n$M', ['a', '', 'b']], // 2.2.7
    ['go on after a line with a backslash alone', '$M= \\\n\\\nb\n$M', ['b']], // 2.2.7
    ['work with CRLF', '$M= \\\r\na \\\r\nb\r\n$M\r\n', ['a', 'b']], // 2.2.7
    ['may be the end of the file', '$M= \\\na \\', []],
    ['are replaced behind other words', '$M= \\\na\\\nb\nx $M', ['x a', 'b']], // 2.2.7
    ['are not replaced before other words, which is told', '$M= \\\na\\\nb\n$M x', ['$M x'], ['W027']], // 2.2.7
    ['define variables, and see them', '$M= \\\n$N=1\\\nx ${N}\\\n$N=2\\\nx ${N}\n$M', ['x 1', 'x 2']], // 2.2.7
    [
      'nest',
      '$R= \\\nr${I} {\\\n}\n$S= \\\ns {\\\n$I=1\\\n$R\\\n$I=2\\\n$R\\\n}\n$S',
      ['s {', 'r1 {', '}', 'r2 {', '}', '}'],
    ],
    ['hold conditions', '$M= \\\n@me a\\\n@you b\\\n@^you c\n$M', ['a', 'c']], // 2.2.7
    ['are defined on one machine only', '@you $M=\\\na\\\nb\n@me $M=\\\nc\\\nd\n$M', ['c', 'd']],
    ['hold includes', '$M= \\\ninclude x\\\na\n$M', ['in x', 'a']],
    ['that use themselves end in one message', '$M= \\\n$M \\\n$M\n$M\n$M\nx', ['x'], ['W028']],
  ] as const satisfies readonly (readonly [string, string, readonly string[], (readonly string[])?])[])
    test(what, () => {
      const got = linesOf(text, { '/etc/x': 'in x' });
      assert.deepEqual([got.texts.filter((line) => !line.startsWith('#')), got.codes], [texts.filter(Boolean), codes]);
    });
});

describe('conditions', () => {
  for (const [what, text, texts] of [
    ['a line with @id is kept on that machine, with @^id on all others', '@me a\n@you b\n@^me c\n@^you d', ['a', 'd']],
    ['the id is compared as it is, case and all', '@Me a\n@me{ b', []], // 2.2.7
    ['white space may come before it and tabs behind it', ' \t@me\ta', ['a']], // 2.2.7
    ['nothing but the id is nothing', '@me\n@me # x', []], // 2.2.7
    ['an empty id is nobody', '@ a\n@^ b', ['b']], // 2.2.7
    ['only one condition counts in a line', '@me @me a', ['@me a']], // 2.2.7: an unknown keyword
    ['in the middle of a line it is text', 'a @you b', ['a @you b']], // 2.2.7
    ['behind a brace it counts', 'g { @you a\n@me b }', ['g {', 'b }']], // 2.2.7
    ['an include may be conditional', '@me include x\n@you include x', ['in x']], // 2.2.7
    ['a definition may be conditional', '@me $P=1\n@you $P=2\nx $P', ['x 1']], // 2.2.7
  ] as const)
    test(what, () => assert.deepEqual(linesOf(text, { '/etc/x': 'in x' }).texts, texts));
});

describe('random numbers', () => {
  const drawn = (text: string, configId = 'me') => linesOf(text, {}, configId).texts.at(-1)!;

  test('lie between the limits, 0 and 32767 when none are given, in either order', () => {
    for (let i = 0; i < 50; i++) {
      const [free, one, two, swapped] = drawn('${_RANDOM} ${_RANDOM 32760} ${_RANDOM 5 7} ${_RANDOM 9 5}', `${i}`)
        .split(' ')
        .map(Number);
      assert.ok(free! >= 0 && free! <= 32_767, `${free}`);
      assert.ok(one! >= 32_760 && one! <= 32_767, `${one}`);
      assert.ok(two! >= 5 && two! <= 7, `${two}`);
      assert.ok(swapped! >= 5 && swapped! <= 9, `${swapped}`);
    }
  });
  test('every number of a small range comes', () => {
    const all = drawn(`${'${_RANDOM 1 6} '.repeat(200)}`).split(' ');
    assert.deepEqual([...new Set(all)].toSorted(), ['1', '2', '3', '4', '5', '6']);
  });
  test('are the same at each reading, and others on another machine', () => {
    const text = '${_RANDOM} ${_RANDOM} ${_RANDOM}';
    assert.equal(drawn(text), drawn(text));
    assert.notEqual(drawn(text), drawn(text, 'other'));
  });
  test('are the same on all machines with random_seed', () => {
    const text = 'global_defs {\n random_seed 5\n}\n${_RANDOM} ${_RANDOM}';
    assert.equal(drawn(text), drawn(text, 'other'));
    assert.notEqual(drawn(text), drawn(text.replace('seed 5', 'seed 6')));
  });
  test('are drawn from what is given', () => {
    const options = { configId: '', reader: undefined, environment: {}, random: () => 3 };
    const [line] = readLines({ file: 'f', text: 'x ${_RANDOM 10 20}' }, options, new Report());
    assert.equal(line?.text, 'x 13');
  });
  test('are drawn anew at each use of a variable', () => {
    const [a, b] = drawn('$R=${_RANDOM 1 1000000}\n${R} ${R}').split(' ');
    assert.notEqual(a, b);
  });
  for (const bad of ['a b', '-5 5', '0x10', '1 2 3'])
    test(`\${_RANDOM ${bad}} stays and is told`, () => {
      const got = linesOf(`x \${_RANDOM ${bad}}`);
      assert.deepEqual([got.texts, got.codes], [[`x \${_RANDOM ${bad}}`], ['W027']]);
    });
});

describe('includes', () => {
  const files: Files = {
    '/etc/d': null,
    '/etc/d/1.conf': 'one\ninclude x/2\n$SET=set\nopen {',
    '/etc/d/3.conf': 'three',
    '/etc/d/x/2': 'two in ${_PWD}',
    '/etc/s p': 'space',
    '/etc/no': null,
    '/etc/loop': 'l\ninclude loop\nm',
    '/etc/ping': 'include pong',
    '/etc/pong': 'include ping',
  };
  for (const [what, text, texts, codes = []] of [
    ['read all matching files beside the including one', 'include d/*', ['one', 'two in /etc/d/x', 'open {', 'three']],
    ['stand between the lines around them', 'a\ninclude d/3.conf\nb', ['a', 'three', 'b']],
    [
      'leave their definitions behind, but not their folder',
      'include d/1.conf\n$SET in ${_PWD}',
      ['one', 'two in /etc/d/x', 'open {', 'set in /etc'],
    ], // 2.2.7
    ['may be quoted, and hold spaces', 'include "d/3.conf"\ninclude s p', ['three', 'space']],
    ['may have a comment behind them', 'include d/3.conf # x', ['three']], // 2.2.7
    [
      'may be in a block, also behind its brace',
      'g {\ninclude d/3.conf\n}\ng { include d/3.conf\n}',
      ['g {', 'three', '}', 'g {', 'three', '}'],
    ], // 2.2.7
    ['expand braces in their order', 'include {d/3.conf,s p}', ['three', 'space']], // 2.2.7
    [
      'expand nested braces',
      'include {d/{3,1},s p}{,.conf}',
      ['three', 'one', 'two in /etc/d/x', 'open {', 'space'],
      ['W026'],
    ],
    ['that match nothing are told and do no harm', 'a\ninclude none\ninclude /none/*\nb', ['a', 'b'], ['W026', 'W026']],
    ['with a pattern in a folder that is there may match nothing', 'include d/9*', []], // 2.2.7
    ['that cannot be read are told', 'include no\na', ['a'], ['W026']], // 2.2.7
    ['without a name are no includes', 'include\ninclude_ x\n"include" x', ['include', 'include_ x', '"include" x']], // 2.2.7
    ['of a file in itself are ignored and told once', 'include loop\na', ['l', 'm', 'a'], ['W028']],
    ['of two files in each other are ignored and told once', 'include ping\na', ['a'], ['W028']],
  ] as const satisfies readonly (readonly [string, string, readonly string[], (readonly string[])?])[])
    test(what, () => {
      const got = linesOf(text, files);
      assert.deepEqual([got.texts, got.codes], [texts, codes]);
    });

  // An E001 means that the agent does not start; keepalived 2.2.7 ends with exit code 6 in the same cells.
  const patterns = ['none', 'd/9*', '{d/3.conf,none}', 'no', 'd/3.conf'] as const;
  for (const [line, failing] of [
    ['include', []],
    ['includer', ['no']],
    ['includem', ['none', 'no']],
    ['includew', ['none', 'd/9*', 'no']],
    ['includeb', ['{d/3.conf,none}', 'no']],
    ['includea', ['none', 'd/9*', '{d/3.conf,none}', 'no']],
    ['include_check\ninclude', ['none', 'd/9*', '{d/3.conf,none}', 'no']],
    ['include_check match\ninclude', ['none', 'no']],
    ['include_check readable\ninclude_check +match -readable\ninclude', ['none', 'no']],
    ['include_check\ninclude_check -match -wildcard_match\ninclude', ['{d/3.conf,none}', 'no']],
    ['include_check\ninclude_check match\ninclude', ['none', 'no']],
    ['global_defs { include_check }\ninclude', ['none', 'd/9*', '{d/3.conf,none}', 'no']],
  ] as const)
    test(`${JSON.stringify(line)} fails for ${failing.join(', ') || 'nothing'}`, () => {
      const got = patterns.filter((pattern) => linesOf(`${line} ${pattern}`, files).codes.includes('E001'));
      assert.deepEqual(got, failing);
    });
  test('include_check in an included file ends with it', () => {
    const checking = { '/etc/c': 'include_check match\ninclude none' };
    assert.deepEqual(linesOf('include c\ninclude none', checking).codes, ['W026', 'E001']);
  });
  test('a file that is in two places under 16 levels of includes is read as often, and no more levels are', () => {
    const deep = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`/etc/${i}`, `l${i}\ninclude ${i + 1}`]));
    const got = linesOf('include 0', deep);
    assert.deepEqual([got.texts.length, got.codes], [16, ['W028']]);
  });
  test('files that include each other twice are read within bounds', () => {
    const deep = Object.fromEntries(
      Array.from({ length: 15 }, (_, i) => [`/etc/${i}`, `include ${i + 1}\n`.repeat(2)]),
    );
    const got = linesOf('include 0', { ...deep, '/etc/15': 'x' });
    assert.deepEqual([got.texts, got.codes], [[], ['E001']]);
  });
});

describe('places', () => {
  for (const [what, text, places] of [
    ['of a line are its columns', ' a  bb', ['a@a.conf:1:2+1', 'bb@a.conf:1:5+2']],
    ['of a kept condition are its columns', '@me a', ['a@a.conf:1:5+1']],
    ['of a value are those of its use', '$P=300\nx ${P} y', ['x@a.conf:2:1+1', '300@a.conf:2:3+4', 'y@a.conf:2:8+1']],
    ['behind two values are right', '$P=3\n${P} ${P} y', ['3@a.conf:2:1+4', '3@a.conf:2:6+4', 'y@a.conf:2:11+1']],
    [
      'of values within values are those of the use',
      '$Q=1\n$P=${Q}2\nx ${P} y',
      ['x@a.conf:3:1+1', '12@a.conf:3:3+4', 'y@a.conf:3:8+1'],
    ],
    [
      'of several lines are those of the definition',
      '$M= a \\\n  b c\n\n$M',
      ['a@a.conf:1:5+1', 'b@a.conf:2:3+1', 'c@a.conf:2:5+1'],
    ],
    [
      'of a variable in several lines are those of its use there',
      '$N=7\n$M=\\\n  b ${N}\\\nd\n$M',
      ['b@a.conf:3:3+1', '7@a.conf:3:5+4', 'd@a.conf:4:1+1'],
    ],
    [
      'of repeated words are those of the line',
      '~SEQ(i,2) x ${i}',
      ['x@a.conf:1:11+1', '1@a.conf:1:13+4', 'x@a.conf:1:11+1', '2@a.conf:1:13+4'],
    ],
    [
      'of words behind a brace are those of the line',
      'g { @me x',
      ['g@a.conf:1:1+1', '{@a.conf:1:3+1', 'x@a.conf:1:9+1'],
    ],
    ['of included words are in the included file', '\ninclude i', ['x@i:2:2+1']],
  ] as const)
    test(what, () => assert.deepEqual(placesOf(text, { '/etc/i': '\n x' }), places));

  test('of what is told about a line are in the file', () => {
    assert.deepEqual(linesOf('a\n  x ${NONE}').places, ['W027@/etc/a.conf:2:5']);
    assert.deepEqual(linesOf('a\n @me include none').places, ['W026@/etc/a.conf:2:14']);
    assert.deepEqual(linesOf('a\n @me ~SEQ(i,x) b').places, ['W025@/etc/a.conf:2:6']);
  });
});
