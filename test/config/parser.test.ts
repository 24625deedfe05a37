// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test has such variables
// The tree of statements, whatever the braces look like; and the promise to end on any input without throwing.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Report } from '../../core/config/diagnostics.ts';
import { grammar as tables } from '../../core/config/keywords/index.ts';
import { type Block, rowOf } from '../../core/config/keywords/row.ts';
import { load } from '../../core/config/load.ts';
import { type Grammar, parse, type Statement } from '../../core/config/parser.ts';
import { readLines } from '../../core/config/source.ts';

/** With all that recovery may ask. */
const grammar: Grammar<Block> = {
  ...tables,
  isList: (block) => block.lines !== undefined,
  knows: (block, keyword) => block.lines === undefined && rowOf(block, keyword) !== undefined,
};

type Tree = readonly (string | readonly [string, Tree])[];

const treeOf = (statements: readonly Statement[]): Tree =>
  statements.map((statement) => {
    const text = statement.words.map((word) => word.text).join(' ');
    return statement.block ? ([text, treeOf(statement.block)] as const) : text;
  });

function parsed(text: string): { tree: Tree; codes: readonly string[] } {
  const report = new Report();
  const lines = readLines({ file: 'f', text }, { configId: '', reader: undefined, environment: {} }, report);
  return {
    tree: treeOf(parse(lines, grammar, report)),
    codes: report.sorted().map((d) => `${d.code}@${d.place.line}`),
  };
}

const GROUP: Tree = [['vrrp_sync_group G', [['group', ['A', 'B']]]]];

describe('braces', () => {
  for (const [style, text] of [
    ['at the end of the line', 'vrrp_sync_group G {\n group {\n A\n B\n }\n}\n'],
    ['on a line of their own', 'vrrp_sync_group G\n{\n group\n {\n A\n B\n }\n}\n'],
    ['after empty lines and comments', 'vrrp_sync_group G # {\n\n# {\n{\n group {\n A\n B\n }\n}\n'],
    ['glued to the words', 'vrrp_sync_group G{\ngroup{\nA\nB}}'],
    ['with the content on the same line', 'vrrp_sync_group G { group { A\nB } }'],
  ] as const)
    test(`a brace counts ${style}`, () => assert.deepEqual(parsed(text), { tree: GROUP, codes: [] }));

  test('one line in braces is one statement', () => {
    assert.deepEqual(parsed('vrrp_sync_group G {\n group { A B }\n}').tree, [
      ['vrrp_sync_group G', [['group', ['A B']]]],
    ]);
  });
});

describe('lost braces make one message each', () => {
  const rest = 'vrrp_instance B {\n priority 2\n}\n';
  const second = ['vrrp_instance B', ['priority 2']] as const;

  test('a missing { of an instance', () => {
    assert.deepEqual(parsed(`vrrp_instance A\n priority 1\n}\n${rest}`), {
      tree: [['vrrp_instance A', ['priority 1']], second],
      codes: ['W020@1'],
    });
  });
  test('a { inside the comment', () => {
    assert.deepEqual(parsed(`vrrp_instance A # {\n priority 1\n}\n${rest}`).codes, ['W020@1']);
  });
  test('a missing { of a list', () => {
    assert.deepEqual(parsed(`vrrp_instance A {\n virtual_ipaddress\n 10.0.0.1\n }\n priority 1\n}\n${rest}`), {
      tree: [['vrrp_instance A', [['virtual_ipaddress', ['10.0.0.1']], 'priority 1']], second],
      codes: ['W020@2'],
    });
  });
  test('a missing } of an instance', () => {
    assert.deepEqual(parsed(`vrrp_instance A {\n priority 1\n${rest}`), {
      tree: [['vrrp_instance A', ['priority 1']], second],
      codes: ['W021@3'],
    });
  });
  test('a missing } of a list before another list', () => {
    assert.deepEqual(
      parsed(`vrrp_instance A {\n virtual_ipaddress {\n 10.0.0.1\n track_script {\n s\n }\n}\n${rest}`),
      {
        tree: [
          [
            'vrrp_instance A',
            [
              ['virtual_ipaddress', ['10.0.0.1']],
              ['track_script', ['s']],
            ],
          ],
          second,
        ],
        codes: ['W021@4'],
      },
    );
  });
  test('a missing } inside a virtual server does not swallow the instance after it', () => {
    const { tree, codes } = parsed(`virtual_server 10.0.0.1 80 {\n real_server 10.0.0.2 80 {\n weight 1\n}\n${rest}`);
    assert.deepEqual([tree.at(-1), codes], [second, ['W021@5']]);
  });
  test('a missing } of a list before a keyword of the block around it', () => {
    assert.deepEqual(
      parsed(`vrrp_instance A {\n virtual_ipaddress {\n 10.0.0.1\n notify_master /x\n priority 1\n}\n${rest}`),
      {
        tree: [['vrrp_instance A', [['virtual_ipaddress', ['10.0.0.1']], 'notify_master /x', 'priority 1']], second],
        codes: ['W021@4'],
      },
    );
  });
  test('a tracked name that happens to be a keyword ends no list', () => {
    for (const name of ['notify', 'notify weight 5'])
      assert.deepEqual(parsed(`vrrp_instance A {\n track_script {\n ${name}\n }\n}\n${rest}`), {
        tree: [['vrrp_instance A', [['track_script', [name]]]], second],
        codes: [],
      });
  });
  test('a list without any brace before a keyword of the block around it', () => {
    assert.deepEqual(parsed(`vrrp_instance A {\n virtual_ipaddress\n priority 1\n}\n${rest}`), {
      tree: [['vrrp_instance A', [['virtual_ipaddress', []], 'priority 1']], second],
      codes: ['W020@2'],
    });
  });
  for (const [what, text] of [
    ['has its }', `vrrp_instance A {\n track_script\n }\n priority 1\n}\n${rest}`],
    ['has no } either', `vrrp_instance A {\n priority 1\n track_script\n}\n${rest}`],
  ] as const)
    test(`an empty block without { that ${what}`, () => {
      const { tree, codes } = parsed(text);
      assert.deepEqual([tree.at(-1), codes.length, codes[0]?.slice(0, 4)], [second, 1, 'W020']);
    });
  test('any number of } too many in a row', () => {
    assert.deepEqual(parsed(`vrrp_instance A {\n}\n}\n}\n} } }\n${rest}}\n`).codes, ['W022@3', 'W022@9']);
  });
  test('blocks deeper than any file has', () => {
    assert.deepEqual(parsed(`${'a {\n'.repeat(5000)}x\n${'}\n'.repeat(5000)}${rest}`).codes, ['W023@33']);
  });
  test('broken quotes in every line', () => {
    const { codes } = parsed('a "b\n'.repeat(1000));
    assert.deepEqual([codes.length, new Set(codes.map((code) => code.slice(0, 4)))], [20, new Set(['W024'])]);
  });
  test('a } too many', () => {
    assert.deepEqual(parsed(`vrrp_instance A {\n priority 1\n}\n}\n${rest}`), {
      tree: [['vrrp_instance A', ['priority 1']], second],
      codes: ['W022@4'],
    });
  });
  test('a { without a keyword', () => {
    assert.deepEqual(parsed(`{\n x\n}\n${rest}`), { tree: [second], codes: ['W023@1'] });
  });
  test('the end of the file inside blocks', () => {
    assert.deepEqual(parsed('vrrp_instance A {\n virtual_ipaddress {\n 10.0.0.1').codes, ['W021@1']);
  });
  test('an unknown block is skipped whole, with one message for all of it', () => {
    const { diagnostics } = load(
      {
        file: 'f',
        text: 'local_group x {\n 10.0.0.1\n more {\n a\n }\n}\nvrrp_instance A {\n interface e\n virtual_router_id 1\n priority 1\n virtual_ipaddress {\n 10.0.0.1\n }\n}',
      },
      { hostName: 'h' },
    );
    assert.deepEqual(
      diagnostics.map((d) => `${d.code}@${d.place.line}`),
      ['W010@1'],
    );
  });
});

const VALID = `! a file with a bit of everything
$VIP=10.0.0.99/24
global_defs {
    router_id "edge one"
    vrrp_version 3
}
vrrp_script check { script "/bin/test -e '/run/a b'"
    interval 0.5
    weight -20 reverse
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 7
    priority 150
    virtual_ipaddress {
        \${VIP} dev eth0 label eth0:1 scope link brd +
        10.0.0.100
    }
    track_script { check weight 5 }
    unicast_peer {
        10.0.0.2 min_ttl 1
    }
    notify "/bin/say 'x y' \\"z\\"" root
}
@host virtual_server 10.0.0.1 80 { real_server 10.0.0.2 80 { weight 1
}}
`;

describe('any input ends without an exception', () => {
  const survives = (text: string): void => {
    const { diagnostics } = load({ file: 'f', text }, { hostName: 'host' });
    const lines = text.split('\n');
    for (const { place } of diagnostics) {
      assert.ok(place.line >= 1 && place.line <= lines.length, `line ${place.line} of ${lines.length}`);
      assert.ok(place.column >= 1 && place.length >= 1);
      // The end of a line may be pointed at, nothing behind it.
      assert.ok(place.column <= lines[place.line - 1]!.length + 1, `column ${place.column}`);
    }
  };

  test('the valid file is valid', () => {
    assert.notEqual(load({ file: 'f', text: VALID }, { hostName: 'host' }).configuration, undefined);
  });
  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => survives(new TextDecoder('latin1').decode(bytes))),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), survives), { numRuns: 300 });
  });
  test('random sequences of the language’s own words', () => {
    const word = fc.constantFrom(
      ...[
        'vrrp_instance',
        'A',
        '{',
        '}',
        '\n',
        '\n',
        'virtual_ipaddress',
        '10.0.0.1/24',
        'priority',
        '300',
        'track_script',
        '"',
        "'",
        '\\',
        '#',
      ],
      ...[
        '$A=${A}x',
        '${A}',
        '@host',
        'include f',
        'global_defs',
        'vrrp_sync_group',
        'group',
        'script',
        'weight',
        '-5',
        'dev',
        'authentication',
      ],
      ...[
        'auth_pass',
        'virtual_router_id',
        '1',
        'interface',
        'eth0',
        'virtual_server',
        '~SEQ(i,1,5)',
        'constructor',
        '__proto__',
        'toString',
      ],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 80 }), (list) => survives(list.join(' '))),
      { numRuns: 1500 },
    );
  });
  test('a valid file with pieces cut out, doubled and overwritten', () => {
    const edit = fc.record({
      at: fc.nat(VALID.length),
      length: fc.nat(40),
      kind: fc.constantFrom('cut', 'double', 'overwrite'),
      junk: fc.constantFrom('{', '}', '"', '\\', '\0', '\n', '${', ' ', '\u{1f600}', '#'),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
        let text = VALID;
        for (const { at, length, kind, junk } of edits) {
          const piece = text.slice(at, at + length);
          text =
            text.slice(0, at) +
            (kind === 'cut' ? '' : kind === 'double' ? piece + piece : junk) +
            text.slice(at + length);
        }
        survives(text);
      }),
      { numRuns: 1500 },
    );
  });
  test('deep nesting and long lines are read in time', () => {
    const before = process.cpuUsage();
    survives('a {\n'.repeat(20_000));
    survives(`priority ${'{'.repeat(20_000)}`);
    survives(`$A=${'x'.repeat(1000)}\n$B=${'${A}'.repeat(1000)}\n${'y ${B}\n'.repeat(50)}`);
    survives('"'.repeat(50_000));
    // Of the processor, whatever else the machine does: what grows with the square takes minutes.
    assert.ok(process.cpuUsage(before).user < 20_000_000);
  });
});
