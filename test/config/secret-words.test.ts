// Options that a plugin marks as secret: in nothing that people or machines are shown.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDiagnostic } from '../../core/config/diagnostics.ts';
import { explain, renderExplanation } from '../../core/config/explain.ts';
import { languageWith } from '../../core/config/language.ts';
import { load } from '../../core/config/load.ts';
import { outlineOf } from '../../core/config/outline.ts';
import { sarifLog } from '../../core/config/sarif.ts';

const language = languageWith({
  builtIn: [
    {
      api: 1,
      kind: 'check',
      name: 'shop',
      help: 'a shop answers',
      options: {
        token: { kind: 'text', secret: true, required: true, help: 'its key' },
        page: { kind: 'block', many: true, help: 'a page', options: { token: { kind: 'text', help: 'no secret' } } },
      },
      settings: { token: { kind: 'text', secret: true, help: 'the key of all' } },
    },
  ],
  loaded: [],
});

const text = `vrrp_check shop {
    shop {
        token "hunter2 secret" extra9
        token hunter3 hunter3extra
        page {
            token shown
        }
    }
}
vrrp_instance V {
    interface eth0
    virtual_router_id 7
    virtual_ipaddress {
        192.0.2.9/24
    }
    track_check {
        shop
    }
}
`;

test('a secret option is in no finding, no line of a file that goes with it, no explanation, no report', () => {
  const options = { hostName: 'h', language };
  const source = { file: 'f', text };
  const { configuration, diagnostics, sources } = load(source, options);
  assert.ok(configuration);
  const lines = sources[0]!.text.split('\n');
  assert.equal(lines[3], '        token ******* ************', 'as long as before');
  const shown = [
    sources[0]!.text,
    JSON.stringify(diagnostics),
    ...diagnostics.map((one) => renderDiagnostic(one, lines[one.place.line - 1])),
    renderExplanation(explain(configuration, outlineOf(source, options)), 'f'),
    JSON.stringify(explain(configuration, outlineOf(source, options))),
    JSON.stringify(sarifLog(diagnostics, sources, { version: '1' } as never)),
  ].join('\n');
  assert.ok(
    diagnostics.some(({ place }) => place.line === 3),
    'something is found in the line of the secret',
  );
  assert.doesNotMatch(shown, /hunter|extra9/);
  assert.match(shown, /token shown/, 'an option of the same name that is none');
  const probe = configuration.checks?.[0]?.probe;
  assert.equal(probe?.type === 'plugin' && probe.options['token'], 'hunter3', 'the plugin gets it');
});
