// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test has such variables
// ~SEQ and ~LST, and the bounds of everything that expands. The rows are what keepalived 2.2.7 does, unless they say
// otherwise.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Report } from '../../core/config/diagnostics.ts';
import { load } from '../../core/config/load.ts';
import { LIMITS, readLines } from '../../core/config/source.ts';

function expanded(text: string) {
  const report = new Report();
  const lines = readLines({ file: 'f', text }, { configId: 'me', reader: undefined, environment: {} }, report);
  return { texts: lines.map((line) => line.text.trim()), codes: report.sorted().map((d) => d.code) };
}

const REPEATED: readonly (readonly [text: string, texts: readonly string[]])[] = [
  ['~SEQ(i,3) x${i}', ['x1', 'x2', 'x3']],
  ['~SEQ(i,0,2) x${i}', ['x0', 'x1', 'x2']],
  ['~SEQ(i,0,2,6) x${i}', ['x0', 'x2', 'x4', 'x6']],
  ['~SEQ(i,1,3,10) x${i}', ['x1', 'x4', 'x7', 'x10']],
  ['~SEQ(i,1,3,9) x${i}', ['x1', 'x4', 'x7']],
  ['~SEQ(i,3,1) x${i}', ['x3', 'x2', 'x1']],
  ['~SEQ(i,3,-2,0) x${i}', ['x3', 'x1']],
  ['~SEQ(i,-2) x${i}', ['x-1', 'x-2']],
  ['~SEQ(i,0) x${i}', ['x1', 'x0']],
  ['~SEQ(i,+2) x${i}', ['x1', 'x2']],
  ['~SEQ(i,007,010) x${i}', ['x7', 'x8']],
  ['~SEQ(i, 0x10, 0x10, 0x20) x${i}', ['x16', 'x32']],
  ['~SEQx(i, 0x90, 0x10, 0xb0) x${i}', ['x90', 'xa0', 'xb0']],
  ['~SEQx(i,8,12) x${i}', ['x8', 'x9', 'xa', 'xb', 'xc']],
  ['~SEQ (i,2)x${i}', ['x1', 'x2']],
  ['~SEQ( i ,1, 2 ) x${i}', ['x1', 'x2']],
  ['~SEQ(i,2) x $i y', ['x 1 y', 'x 2 y']],
  ['~SEQ(i,2) x # ${i}', ['x', 'x']],
  ['~SEQ(i,2)', []],
  ['  @me ~SEQ(i,2) x${i}', ['x1', 'x2']],
  ['@you ~SEQ(i,2) x${i}', []],
  ['~SEQ(i,2) @me x${i}', ['x1', 'x2']],
  ['~SEQ(i,2) ~SEQ(j,2) ${i}${j}', ['11', '12', '21', '22']],
  ['~SEQ(i,2) ~SEQ(j,1,1,${i}) ${i}${j}', ['11', '21', '22']],
  ['$A=2\n~SEQ(i,${A},$A,4) x${i}', ['x2', 'x4']],
  ['$i=9\n~SEQ(i,2) x${i}', ['x1', 'x2']],
  ['~SEQ(i,2) x\ny ${i}', ['x', 'x', 'y 2']],
  ['~SEQ(i,2) $V${i}=v${i}\n${V1}${V2}', ['v1v2']],
  ['$S=~SEQ(i,2)\n$S x $i', ['x 1', 'x 2']],
  ['$M=\\\na${i} {\\\n}\n~SEQ(i,2) $M', ['a1 {', '}', 'a2 {', '}']],
  ['x ~SEQ(i,2) y', ['x ~SEQ(i,2) y']],
  ['~seq(i,2) y', ['~seq(i,2) y']],
  ['g { ~SEQ(i,2) x${i}\n}', ['g {', 'x1', 'x2', '}']],
  ['~LST(i,a,b,c) x${i}', ['xa', 'xb', 'xc']],
  ['~LST(i,a,,b) "[${i}]"', ['"[a]"', '"[]"', '"[b]"']],
  ['~LST(i,) "[${i}]"', ['"[]"']],
  ['~LST ( i , a , b ) x${i}', ['xa', 'xb']],
  ['~LST({i,j},{a,b},{c,d}) ${i}_${j}', ['a_b', 'c_d']],
  ['~LST({i, j} , { a , b } , {c,d}) ${i}_${j}', ['a_b', 'c_d']],
  ['~LST({i,j},{a,b},{c}) ${i}_${j}', ['a_b', 'c_']],
  ['~LST({i,j},a,b) ${i}_${j}', ['a_', 'b_']],
  ['~LST({i},{a},{b}) x${i}', ['xa', 'xb']],
  ['~LST(i,{a},{b}) x${i}', ['xa', 'xb']],
  ["~LST(i,;,'c') x${i}", ['x;', "x'c'"]],
  ['~LST(i,a\\,b) x${i}', ['xa\\', 'xb']],
  ['~LST(i,a,b) g${i} { x }', ['ga { x }', 'gb { x }']],
  ['~LST(i,1,2) ~LST(j,5,6) ${i}.${j}', ['1.5', '1.6', '2.5', '2.6']],
  ['~LST({i,j},{10,1},{20,4}) ~SEQ(k,1,2) ${k}.${i}.${j}', ['1.10.1', '2.10.1', '1.20.4', '2.20.4']],
  ['~SEQ(i,2) ~LST(j,a,b) ${i}${j}', ['1a', '1b', '2a', '2b']],
  // Unlike keepalived, which refuses variables there.
  ['$L=p,q\n~LST(i,${L}) x${i}', ['xp', 'xq']],
];

describe('repeated lines', () => {
  for (const [text, texts] of REPEATED)
    test(`${JSON.stringify(text)} is ${JSON.stringify(texts)}`, () =>
      assert.deepEqual(expanded(text), { texts, codes: [] }));

  for (const header of [
    ...['SEQ(i)', 'SEQ()', 'SEQ(,3)', 'SEQ(i,a,3)', 'SEQ(i,1.5,2)', 'SEQ(i,1,2,3,4)', 'SEQ(i,3', 'SEQ(1i,3)'],
    ...['SEQ(i,3,1,1)', 'SEQ(i,1,-1,3)', 'SEQ(i,1,0,3)', 'SEQx(i,-2,2)', 'SEQ(i,0x)', 'SEQ(i,)'],
    ...['LST(i)', 'LST()', 'LST(i,a', 'LST(i,a b)', 'LST(i,"a b")', 'LST({i,j},{a,b,c})', 'LST(i,{a,b})'],
    ...['LST({i,j},{1,2} {3,4})', 'LST(i,a}b)', 'LST({},{})', 'LST(1i,a)', 'LST({i,{j}},a)'],
  ])
    test(`~${header} is refused with one message, and its line is ignored`, () =>
      assert.deepEqual(expanded(`~${header} x\ny`), { texts: ['y'], codes: ['W025'] }));
});

describe('expansion is bounded', () => {
  const many = (n: number, text: (i: number) => string) => Array.from({ length: n }, (_, i) => text(i)).join('\n');

  for (const [what, text] of [
    ['a sequence of a thousand million', '~SEQ(i,1000000000) x'],
    ['sequences in sequences', '~SEQ(i,10000) ~SEQ(j,10000) ~SEQ(k,10000) x'],
    ['sequences of nothing', '~SEQ(i,10000) ~SEQ(j,10000) @you x'],
    ['sequences of definitions', '~SEQ(i,10000) ~SEQ(j,10000) $A=${i}'],
    ['lists in lists', `${'~LST(i,a,b,c,d,e,f,g,h) '.repeat(15)} x`],
    ['doubling lines', `${many(15, (i) => `$V${i}=\\\n${`$V${i + 1} \\\n`.repeat(8)}`)}\n$V15=x\n$V0`],
    ['more lines than any file has', 'x\n'.repeat(LIMITS.lines + 1)],
    ['more text than any file has', `${'x'.repeat(1000)}\n`.repeat(LIMITS.text / 1000)],
    ['long lines again and again', `$A=${'x'.repeat(60_000)}\n${'x ${A}\n'.repeat(1000)}`],
  ] as const)
    test(`${what}: refused with one message, and nothing of it is used`, () => {
      const { texts, codes } = expanded(text);
      assert.deepEqual([texts.length, codes], [0, ['E001']]);
    });

  for (const [what, text] of [
    ['a line of doubling variables', `${many(40, (i) => `$V${i}=\${V${i + 1}}\${V${i + 1}}`)}\n$V40=x\nx \${V0}`],
    ['a circle', '$A=${B}\n$B=${C}\n$C=${A}\nx ${A}'],
    ['a circle of lines', '$A=\\\na\\\n$B\n$B=\\\nb\\\n$A\nx\n$A'],
  ] as const)
    test(`${what}: the line is dropped with one message`, () => assert.deepEqual(expanded(text).codes, ['W028']));

  test('the example of the manual with 65,024 instances is refused in words, not by a crash', () => {
    const instance = '$I= \\\nvrrp_instance v${A}.${B}.${C} { \\\n interface bond${A} \\\n priority 1 \\\n}\n';
    const { configuration, diagnostics } = load(
      { file: 'f', text: `${instance}~SEQ(A,0,7) ~SEQ(B,0,31) ~SEQ(C,1,254) $I` },
      { hostName: 'h' },
    );
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    assert.deepEqual([configuration, errors.map(({ code }) => code)], [undefined, ['E001']]);
  });
});
