// The JSON Schema of the configuration agrees with what the rows read.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Report } from '../../core/config/diagnostics.ts';
import { blocksWith, grammar, root } from '../../core/config/keywords/index.ts';
import { readBlock } from '../../core/config/keywords/row.ts';
import { parse } from '../../core/config/parser.ts';
import { configurationSchema, type Json, valuesAsJson } from '../../core/config/schema.ts';
import { readLines } from '../../core/config/source.ts';

/** The words of JSON Schema that ours uses. */
interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: Json;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly required?: readonly string[];
  readonly 'x-effect'?: string;
}

/** The JSON of a file. */
function jsonOf(text: string): Json {
  const report = new Report();
  const lines = readLines({ file: 'f', text }, { configId: '', reader: undefined, environment: {} }, report);
  const silent = (): void => {};
  const reading = { report, blocksWith, notActedOn: silent, withoutMeaning: silent, balancing: silent };
  return valuesAsJson(root, readBlock(root, parse(lines, grammar, report), reading));
}

/** What is wrong with a value by the words of JSON Schema that ours uses. */
function faults(value: Json, schema: Schema, whole: Schema, at = '$'): readonly string[] {
  if (schema.$ref !== undefined) return faults(value, whole.$defs![schema.$ref.replace('#/$defs/', '')]!, whole, at);
  const found: string[] = [];
  const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  const wanted = schema.type;
  if (wanted === 'integer' ? !Number.isInteger(value) : wanted !== undefined && wanted !== type)
    found.push(`${at} is ${type}, not ${wanted}`);
  if ('const' in schema && schema.const !== value) found.push(`${at} is not ${schema.const}`);
  if (schema.enum && !schema.enum.includes(value)) found.push(`${at} is not one of its values`);
  if (typeof value === 'number' && (value < schema.minimum! || value > schema.maximum!))
    found.push(`${at} is out of range`);
  if (type === 'array' && schema.items)
    for (const [i, item] of (value as Json[]).entries())
      found.push(...faults(item, schema.items, whole, `${at}[${i}]`));
  if (type === 'object' && schema.properties) {
    const { properties } = schema;
    for (const [name, inner] of Object.entries(value as object))
      if (name in properties) found.push(...faults(inner, properties[name]!, whole, `${at}.${name}`));
      else if (schema.additionalProperties === false) found.push(`${at} may not have ${name}`);
    for (const name of (schema.required as string[] | undefined) ?? [])
      if (!(name in (value as object))) found.push(`${at} lacks ${name}`);
  }
  return found;
}

const FILE = `
global_defs {
  router_id left
  vrrp_garp_master_delay 0.5
  smtp_server 192.0.2.25
  notification_email {
    a@example.org
  }
  vrrp_strict off
  umask 022
}
vrrp_script web {
  script "/bin/true now"
  weight -20 reverse
}
bfd_instance gateway {
  neighbor_ip 192.0.2.1
  min_rx 50
}
garp_group {
  interfaces {
    eth0 eth1
  }
}
vrrp_instance V {
  state MASTER
  interface eth0
  virtual_router_id 7
  nopreempt
  advert_int 0.05
  authentication {
    auth_type PASS
    auth_pass x
  }
  virtual_ipaddress {
    192.0.2.10/24 dev eth0
  }
  auth_hmac {
    key 1 hex:00ff
    key 2 text
  }
  track_script {
    web weight 5
  }
  notify "/bin/true" root
}
virtual_server 192.0.2.10 80 {
  lb_kind DR
  real_server 192.0.2.20 80 {
    weight 3
    HTTP_GET {
      url {
        path /
        status_code 200
      }
    }
  }
}
`;

describe('the JSON Schema of the configuration', () => {
  const schema = configurationSchema() as Schema;
  test('is plain JSON with every block', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
    for (const name of ['global_defs', 'vrrp_instance', 'auth_hmac', 'real_server', 'url', 'bfd_instance'])
      assert.ok(name in schema.$defs!, name);
  });
  test('says ranges, defaults and what has no effect', () => {
    const { vrrp_instance: instance } = schema.$defs!;
    const { priority, unicast_fault_no_peer: later, state } = instance!.properties!;
    assert.deepEqual(
      [priority!.minimum, priority!.maximum, priority!.default, state!.enum, later!['x-effect']],
      [1, 255, 100, ['MASTER', 'BACKUP'], 'none'],
    );
  });
  test('a file as JSON is what the schema describes, in the units of the file', () => {
    const json = jsonOf(FILE);
    assert.deepEqual(faults(json, schema, schema), []);
    assert.deepEqual((json as { readonly vrrp_instance: readonly Json[] }).vrrp_instance[0], {
      '@name': 'V',
      state: 'MASTER',
      interface: 'eth0',
      virtual_router_id: 7,
      nopreempt: true,
      advert_int: 0.05,
      authentication: { auth_type: 'PASS', auth_pass: 'x' },
      virtual_ipaddress: [{ address: '192.0.2.10', prefix: 24, family: 4, device: 'eth0' }],
      auth_hmac: {
        key: [
          { id: 1, secret: 'hex:00ff' },
          { id: 2, secret: 'text' },
        ],
      },
      track_script: [{ name: 'web', weight: 5 }],
      notify: { argv: ['/bin/true'], user: { user: 'root' } },
    });
  });
  test('a value out of range or an unknown keyword is a fault', () => {
    const bad = { vrrp_instance: [{ '@name': 'V', priority: 300, prioritiy: 1 }] };
    assert.deepEqual(faults(bad, schema, schema), [
      '$.vrrp_instance[0].priority is out of range',
      '$.vrrp_instance[0] may not have prioritiy',
    ]);
  });
});
