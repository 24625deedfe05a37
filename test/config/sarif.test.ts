// SARIF 2.1.0: what the standard demands of the parts that we write (OASIS sarif-v2.1.0, sections in brackets).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogue } from '../../core/config/catalogue.ts';
import { load } from '../../core/config/load.ts';
import { sarifLog } from '../../core/config/sarif.ts';

const TEXT = `vrrp_instance V {
  interface eth0
  virtual_router_id 51
  priority 300
  advert_in 1
  authentication {
    auth_type PASS
    auth_pass much-too-long
  }
}
`;

function logOf(file: string, text: string) {
  const { diagnostics, sources } = load({ file, text }, { hostName: 'h' });
  const log = sarifLog(diagnostics, sources, { version: '1.2.3', exitCode: 0, successful: true });
  return { diagnostics, log: JSON.parse(JSON.stringify(log)), run: log.runs[0]! };
}

describe('SARIF', () => {
  test('the frame: schema, version, one run of one tool [3.13, 3.14, 3.19]', () => {
    const { log } = logOf('f', TEXT);
    assert.deepEqual(Object.keys(log), ['$schema', 'version', 'runs']);
    assert.equal(log.version, '2.1.0');
    assert.match(log.$schema, /^https:\/\/.*sarif.*2\.1\.0\.json$/);
    assert.equal(log.runs.length, 1);
    const [run] = log.runs;
    assert.equal(run.tool.driver.name, 'vipkeeper');
    assert.match(run.tool.driver.semanticVersion, /^\d+\.\d+\.\d+/);
    assert.equal(run.columnKind, 'utf16CodeUnits');
    assert.deepEqual(run.invocations, [{ executionSuccessful: true, exitCode: 0 }]);
  });
  test('a rule for every code, with help and a level [3.49]', () => {
    const { rules } = logOf('f', TEXT).run.tool.driver;
    assert.deepEqual(
      rules.map(({ id }) => id),
      catalogue.map(({ code }) => code),
    );
    assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length);
    for (const rule of rules) {
      assert.match(rule.name, /^[\p{Lu}\p{N}][\p{L}\p{N}]*$/u, rule.id);
      for (const { text } of [rule.shortDescription, rule.fullDescription, rule.help])
        assert.match(text, /^\S.*[.?!]$/);
      assert.ok(['error', 'warning', 'note'].includes(rule.defaultConfiguration.level));
    }
  });
  test('a result for every finding: rule, level, message and region [3.27, 3.30]', () => {
    const { diagnostics, run } = logOf('f', TEXT);
    assert.equal(run.results.length, diagnostics.length);
    assert.ok(diagnostics.length >= 4);
    for (const [i, result] of run.results.entries()) {
      const { code, severity, place } = diagnostics[i]!;
      assert.equal(result.ruleId, code);
      assert.equal(run.tool.driver.rules[result.ruleIndex]!.id, code);
      assert.equal(result.level, { error: 'error', warning: 'warning', info: 'note' }[severity]);
      assert.match(result.message.text, /^\S/);
      const [{ physicalLocation }] = result.locations as [(typeof result.locations)[number]];
      const { artifactLocation, region } = physicalLocation;
      assert.equal(run.artifacts[artifactLocation.index]!.location.uri, artifactLocation.uri);
      assert.deepEqual(
        [region.startLine, region.startColumn, region.endLine, region.endColumn],
        [place.line, place.column, place.line, place.column + place.length],
      );
    }
  });
  test('files are URIs: absolute as file, relative as they are, odd characters escaped [3.4]', () => {
    for (const [file, uri] of [
      ['/etc/keepalived/keepalived.conf', 'file:///etc/keepalived/keepalived.conf'],
      ['conf.d/a b#c%.conf', 'conf.d/a%20b%23c%25.conf'],
      ['主.conf', '%E4%B8%BB.conf'],
    ] as const) {
      const { run } = logOf(file, TEXT);
      assert.equal(run.artifacts[0]!.location.uri, uri);
      assert.doesNotThrow(() => new URL(uri, 'file:///'));
    }
  });
  test('snippets carry no password', () => {
    const text = JSON.stringify(logOf('f', TEXT).log);
    assert.match(text, /auth_pass \*+/);
    assert.doesNotMatch(text, /much-too-long/);
  });
  test('a file without findings has an empty list of results, not none [3.14.23]', () => {
    const clean = TEXT.replace('300', '100')
      .replace('51', '7')
      .replace(/ {2}advert_in[\s\S]*\}\n/, '  no_virtual_ipaddress\n}\n');
    assert.deepEqual(logOf('f', clean).run.results, []);
  });
});
