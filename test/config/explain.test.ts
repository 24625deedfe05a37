// The effective configuration: every value has a source, and what was lost is told.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ExplainedValue, explain, renderExplanation } from '../../core/config/explain.ts';
import { load } from '../../core/config/load.ts';
import { outlineOf } from '../../core/config/outline.ts';

function explained(text: string) {
  const source = { file: 'f', text };
  const { configuration, diagnostics } = load(source, { hostName: 'h' });
  assert.ok(configuration, JSON.stringify(diagnostics));
  return explain(configuration, outlineOf(source, { hostName: 'h' }));
}

const one = (body: string, more = ''): string =>
  `vrrp_instance V {\n interface e\n virtual_router_id 7\n priority 100\n virtual_ipaddress {\n 10.0.0.1/24\n }\n${body}\n}\n${more}`;

/** The values of a keyword in the instance V. */
function values(text: string, keyword: string): readonly Pick<ExplainedValue, 'value' | 'origin' | 'note'>[] {
  const block = explained(text).find(({ name }) => name === 'V')!;
  return block.values
    .filter((value) => value.keyword === keyword)
    .map(({ value, origin, note }) => ({ value, origin, ...(note !== undefined && { note }) }));
}

describe('explain', () => {
  test('a value of the file, with its place', () => {
    const block = explained(one('advert_int 2')).find(({ name }) => name === 'V')!;
    assert.deepEqual(
      block.values.find(({ keyword }) => keyword === 'advert_int'),
      { keyword: 'advert_int', value: '2', origin: 'file', place: { file: 'f', line: 8, column: 12, length: 1 } },
    );
  });
  for (const [what, text, keyword, expected] of [
    ['a default', one(''), 'advert_int', [{ value: '1', origin: 'default' }]],
    [
      'a default that follows another keyword',
      one('garp_master_delay 2'),
      'garp_lower_prio_delay',
      [{ value: '2', origin: 'default', note: 'as garp_master_delay' }],
    ],
    [
      'a value of global_defs, wherever it stands',
      one('', 'global_defs {\n vrrp_version 3\n}'),
      'version',
      [{ value: '3', origin: 'global_defs', note: 'vrrp_version' }],
    ],
    [
      'a keyword of global_defs whose name begins like another',
      one('', 'global_defs {\n vrrp_garp_master_refresh_repeat 3\n}'),
      'garp_master_refresh',
      [{ value: '0', origin: 'default' }],
    ],
    [
      'a flag that is inherited over two steps',
      one('', 'global_defs {\n smtp_alert\n}'),
      'smtp_alert',
      [{ value: 'on', origin: 'global_defs', note: 'smtp_alert' }],
    ],
    [
      'a flag under another name',
      one('lower_prio_no_advert yes'),
      'lower_prio_no_advert',
      [{ value: 'on', origin: 'file' }],
    ],
    [
      'a value that cannot be',
      one('advert_int 0.4'),
      'advert_int',
      [{ value: '1', origin: 'changed', note: 'the file says 0.4' }],
    ],
    [
      'a refused value',
      one('down_timer_adverts 1000'),
      'down_timer_adverts',
      [{ value: '3', origin: 'changed', note: 'the file says 1000' }],
    ],
    [
      'a keyword that another one cancels',
      one('state MASTER\nnopreempt'),
      'nopreempt',
      [{ value: '', origin: 'changed', note: 'without effect' }],
    ],
    ['the one of several that counts', one('priority 50'), 'priority', [{ value: '50', origin: 'file' }]],
    [
      'lines that were left out',
      one('virtual_ipaddress {\n 2001:db8::1\n 10.0.0.2/24 dev e\n}'),
      'virtual_ipaddress',
      [
        { value: '10.0.0.1/24', origin: 'file' },
        { value: '2001:db8::1', origin: 'changed', note: 'left out' },
        { value: '10.0.0.2/24 dev e', origin: 'file' },
      ],
    ],
    [
      'a tracker that does not exist',
      one('track_script {\n none weight 5\n}'),
      'track_script',
      [{ value: 'none weight 5', origin: 'changed', note: 'left out' }],
    ],
  ] as const)
    test(what, () => assert.deepEqual(values(text, keyword), expected));

  test('secrets are not shown', () => {
    const text = one(
      'authentication {\n auth_type PASS\n auth_pass geheim1\n}\nauth_hmac {\n key 1 geheim2geheim2geheim2geheim2geheim2\n active_key 1\n}',
      'SSL {\n password geheim3\n}',
    );
    const blocks = explained(text);
    assert.doesNotMatch(JSON.stringify(blocks) + renderExplanation(blocks, 'f'), /geheim/);
  });
  test('it is printed as a file whose comments tell the sources', () => {
    const text = renderExplanation(explained(one('nopreempt')), 'f');
    assert.match(text, /^global_defs \{ {2}# defaults alone\n/);
    assert.match(text, /\nvrrp_instance V \{ {2}# line 1\n/);
    assert.match(text, /\n {4}nopreempt +# line 8\n/);
    assert.match(text, /\n\}\n$/);
  });
  test('values of included files name their file', () => {
    const source = { file: 'f', text: 'include g' };
    const options = { hostName: 'h', reader: { include: () => [{ file: 'g', text: one('') }] } };
    const { configuration } = load(source, options);
    assert.match(renderExplanation(explain(configuration!, outlineOf(source, options)), 'f'), /priority 100 +# g:4\n/);
  });
});
