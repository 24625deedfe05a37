// How findings look, and that they point at the right characters.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogue } from '../../core/config/catalogue.ts';
import { CODES, redact, renderDiagnostic, severityOf, withoutSecret } from '../../core/config/diagnostics.ts';
import { load } from '../../core/config/load.ts';

const frame = (body: string): string =>
  `vrrp_instance V {\n interface e\n virtual_router_id 1\n priority 9\n virtual_ipaddress {\n 10.0.0.1\n }\n${body}\n}`;

/** What a file is told, without the parts that a test is not about. */
function found(text: string) {
  return load({ file: 'f', text }, { hostName: 'h' }).diagnostics.map(({ code, place, value, limit, suggestion }) => ({
    code,
    marked: text.split('\n')[place.line - 1]!.slice(place.column - 1, place.column - 1 + place.length),
    value,
    limit,
    suggestion,
  }));
}

describe('rendering', () => {
  const place = { file: 'keepalived.conf', line: 14, column: 15, length: 3 };
  const base = { severity: 'warning', code: 'W011', message: 'priority 300 is out of range 1..255', place } as const;

  test('place, severity and message, the line, the carets', () => {
    assert.equal(
      renderDiagnostic(base, '     priority 300'),
      'keepalived.conf:14:15: warning: priority 300 is out of range 1..255 [W011]\n   priority 300\n            ^^^',
    );
  });
  test('the suggestion comes last', () => {
    assert.match(renderDiagnostic({ ...base, suggestion: 'use 254' }, 'x'), /\n {3}help: use 254$/);
  });
  test('without the source line there is the message alone', () => {
    assert.equal(renderDiagnostic(base, undefined).split('\n').length, 1);
  });
  test('tabs stay tabs and wide characters take two cells, so that the carets stand below', () => {
    const at = { ...base, place: { ...place, column: 5, length: 2 } };
    assert.equal(renderDiagnostic(at, '\ta\t 主机').split('\n')[2], '    \t ^^^^');
  });
  test('passwords in the line are not shown, and the carets stay below them', () => {
    const at = { ...base, place: { ...place, column: 13, length: 10 } };
    assert.deepEqual(renderDiagnostic(at, '  auth_pass "geheim 1"').split('\n').slice(1), [
      '   auth_pass ******* **',
      '             ^^^^^^^^^^',
    ]);
    for (const [line, hidden] of [
      ['authentication { auth_pass 1234 }', 'authentication { auth_pass **** }'],
      ['  key 7 hex:00ff # mine', '  key 7 ******** # mine'],
      ['password x', 'password *'],
      ['auth_pass my secret words # but not this', 'auth_pass ** ****** ***** # but not this'],
      ['auth_pass  # none', 'auth_pass  # none'],
      ['auth_passport x', 'auth_passport x'],
    ] as const)
      assert.equal(redact(line), hidden);
  });
  test('a value that is part of a password is not told', () => {
    const told = { ...base, message: "'word' after auth_pass is ignored", value: 'word' };
    assert.deepEqual(withoutSecret(told, ' auth_pass pass word'), {
      ...base,
      message: "'********' after auth_pass is ignored",
    });
    assert.equal(withoutSecret(told, ' router_id pass word'), told);
    assert.equal(withoutSecret(told, undefined), told);
  });
  test('a file cannot steer the terminal', () => {
    const evil = '\u001b[2Jx\u0007\u009b1m';
    const text = renderDiagnostic({ ...base, message: evil, suggestion: evil }, evil);
    for (const c of ['\u001b', '\u0007', '\u009b']) assert.ok(!text.includes(c));
  });
  test('each part can be painted', () => {
    const text = renderDiagnostic({ ...base, suggestion: 's' }, 'priority 300', (t, part) => `<${part}>${t}</>`);
    assert.match(
      text,
      /^<place>.*:<\/> <warning>warning:<\/> .*\[W011\]\n.*\n.*<carets>\^+<\/>\n {3}<help>help:<\/> s$/,
    );
  });
  test('the letter of a code is its severity', () => {
    for (const code of Object.keys(CODES) as (keyof typeof CODES)[])
      assert.equal(severityOf(code), { E: 'error', W: 'warning', I: 'info' }[code[0]!]);
  });
});

describe('the catalogue', () => {
  test('every code has a title and an explanation of its own', () => {
    assert.deepEqual(
      catalogue.map(({ code }) => code),
      Object.keys(CODES),
    );
    for (const { code, title, explanation } of catalogue) {
      assert.match(title, /^\S.*[^.]$/, code);
      assert.match(explanation, /^\S.*\.$/, code);
    }
    for (const member of ['title', 'explanation'] as const)
      assert.equal(new Set(catalogue.map((entry) => entry[member])).size, catalogue.length);
  });
});

describe('findings point at the culprit', () => {
  for (const [what, text, expected] of [
    [
      'a value out of range',
      frame(' unicast_ttl 300'),
      { code: 'W011', marked: '300', value: '300', limit: '0..255', suggestion: undefined },
    ],
    [
      'a glued comment',
      frame(' garp_master_repeat 5，x'),
      {
        code: 'W012',
        marked: '5，x',
        value: '5，x',
        limit: '0..4294967295',
        suggestion: 'write 5, with a space before anything that is meant as a comment',
      },
    ],
    [
      'a slip of the keyboard',
      frame(' advert_in 1'),
      {
        code: 'W010',
        marked: 'advert_in',
        value: 'advert_in',
        limit: undefined,
        suggestion: 'did you mean advert_int?',
      },
    ],
    [
      'a keyword of another block',
      frame(' rise 3'),
      {
        code: 'W010',
        marked: 'rise',
        value: 'rise',
        limit: undefined,
        suggestion: 'rise belongs into vrrp_script or vrrp_check',
      },
    ],
    [
      'an assignment',
      frame(' mcast_src_ip=10.0.0.5'),
      {
        code: 'W010',
        marked: 'mcast_src_ip=10.0.0.5',
        value: 'mcast_src_ip=10.0.0.5',
        limit: undefined,
        suggestion: 'write mcast_src_ip 10.0.0.5, without =',
      },
    ],
    [
      'words left over',
      frame(' nopreempt please do'),
      { code: 'W013', marked: 'please', value: 'please do', limit: undefined, suggestion: undefined },
    ],
    [
      'two addresses on a line',
      frame(' virtual_ipaddress_excluded {\n 10.0.1.1 10.0.1.2\n }'),
      { code: 'W013', marked: '10.0.1.2', value: '10.0.1.2', limit: undefined, suggestion: 'write one address a line' },
    ],
    [
      'a word of the wrong case',
      frame(' lower_prio_no_advert True'),
      { code: 'W012', marked: 'True', value: 'True', limit: 'on|off', suggestion: 'write true, in lower case' },
    ],
    [
      'a state of other vendors',
      frame(' state SLAVE'),
      { code: 'W012', marked: 'SLAVE', value: 'SLAVE', limit: 'MASTER|BACKUP', suggestion: 'write BACKUP' },
    ],
    [
      'an interface that is an address',
      frame('').replace('interface e', 'interface 10.1.1.1'),
      {
        code: 'E015',
        marked: '10.1.1.1',
        value: '10.1.1.1',
        limit: undefined,
        suggestion: 'name the interface of the network, such as eth0',
      },
    ],
  ] as const)
    test(what, () => assert.deepEqual(found(text), [expected]));

  test('a missing value is pointed at behind its keyword, before the comment', () => {
    const text = frame(' unicast_src_ip   # mine');
    const [first] = load({ file: 'f', text }, { hostName: 'h' }).diagnostics;
    assert.deepEqual([first?.code, first?.place], ['E010', { file: 'f', line: 8, column: 16, length: 1 }]);
  });
  test('findings come in the order of the file, those of included files after it', () => {
    const reader = { include: () => [{ file: 'g', text: 'bogus 1' }] };
    const { diagnostics, sources } = load(
      { file: 'f', text: `wrong 1\ninclude g\n${frame(' wronger 1')}` },
      { hostName: 'h', reader },
    );
    assert.deepEqual(
      diagnostics.map(({ place }) => `${place.file}:${place.line}`),
      ['f:1', 'f:10', 'g:1'],
    );
    assert.deepEqual(
      sources.map(({ file }) => file),
      ['f', 'g'],
    );
  });
});
