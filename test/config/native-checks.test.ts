// keepalived's checks of real servers as checks of our plugins: the blocks go through the reader of files.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { builtInLanguage } from '../../core/app/built-in.ts';
import { Report } from '../../core/config/diagnostics.ts';
import { blocksWith, grammar, root } from '../../core/config/keywords/index.ts';
import { type Rows, readBlock, type Values } from '../../core/config/keywords/row.ts';
import { load } from '../../core/config/load.ts';
import { type NativeTarget, nativeCheck } from '../../core/config/native-checks.ts';
import { parse } from '../../core/config/parser.ts';
import { readLines } from '../../core/config/source.ts';
import type { IpAddress } from '../../core/net/address.ts';
import type { OptionSpec } from '../../core/plugin/options.ts';
import { seconds } from '../../core/units.ts';
import { checkPlugins } from '../../plugins/index.ts';

const TARGET = { address: '192.0.2.10' as IpAddress, port: 8080 } satisfies NativeTarget;

/** What becomes of a checker with these lines, and what is said about it. */
function translate(name: string, lines: string, target: NativeTarget = TARGET) {
  const text = `virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.10 8080 {\n${name} {\n${lines}\n}\n}\n}\n`;
  const report = new Report();
  const source = readLines({ file: 'f', text }, { configId: '', reader: undefined, environment: {} }, report);
  const silent = (): void => {};
  const reading = { report, blocksWith, notActedOn: silent, withoutMeaning: silent, balancing: silent };
  const values = readBlock(root, parse(source, grammar, report), reading) as Values<Rows>;
  const virtual = values['virtual_server']!.value[0].values as Values<Rows>;
  const real = virtual['real_server']!.value[0].values as Values<Rows>;
  const { value, place } = real[name]!;
  const check = nativeCheck(name, value[0], place, target, report);
  return { check, said: report.sorted().map(({ code, message }) => `${code} ${message}`) };
}

describe('checks of real servers', () => {
  test('a port of the real server, with the numbers of keepalived', () => {
    assert.deepEqual(translate('TCP_CHECK', ''), {
      check: {
        plugin: 'tcp',
        options: { host: '192.0.2.10', port: 8080 },
        interval: seconds(60),
        timeout: seconds(5),
        rise: 1,
        fall: 2,
        initFail: false,
      },
      said: [],
    });
  });
  test('its own keywords count before those of its servers, and a timeout is at most the interval', () => {
    const own = translate(
      'TCP_CHECK',
      'connect_ip 192.0.2.11\nconnect_port 25\nbindto 192.0.2.2\nretry 3\nalpha\ndelay_loop 2',
    );
    const { options, interval, timeout, fall, initFail } = own.check!;
    assert.deepEqual(options, { host: '192.0.2.11', source: '192.0.2.2', port: 25 });
    assert.deepEqual([interval, timeout, fall, initFail], [seconds(2), seconds(2), 4, true]);
    const servers = { ...TARGET, delayLoop: seconds(6), connectTimeout: seconds(1), retry: 0, alpha: true };
    const theirs = translate('TCP_CHECK', '', servers).check!;
    assert.deepEqual(
      [theirs.interval, theirs.timeout, theirs.fall, theirs.initFail],
      [seconds(6), seconds(1), 1, true],
    );
  });
  test('pages over HTTP and TLS', () => {
    const url =
      'url {\npath /a\nstatus_code 200-299 301\nregex ^ok\n}\nurl {\npath /b\nregex bad\nregex_no_match\nvirtualhost b.example\n}';
    const { check, said } = translate('SSL_GET', `${url}\nenable_sni\nvirtualhost a.example`);
    assert.deepEqual(said, []);
    assert.equal(check?.plugin, 'http');
    assert.deepEqual(check?.options, {
      host: '192.0.2.10',
      port: 8080,
      tls: true,
      verify: false,
      sni: 'a.example',
      virtualhost: 'a.example',
      header: [],
      redirects: 0,
      url: [
        { path: '/a', method: 'GET', status: ['200-299', '301'], match: ['^ok'], no_match: [] },
        { path: '/b', method: 'GET', match: [], no_match: ['bad'], virtualhost: 'b.example' },
      ],
    });
    const bare = translate('HTTP_GET', 'url {\npath /\n}', { address: TARGET.address }).check?.options;
    assert.deepEqual([bare?.['port'], bare?.['tls'], bare?.['sni']], [80, false, undefined]);
  });
  test('mail, names, echoes and datagrams', () => {
    assert.deepEqual(translate('SMTP_CHECK', 'helo_name a.example\nhost {\nconnect_port 25\n}').check?.options, {
      host: '192.0.2.10',
      port: 25,
      helo_name: 'a.example',
      tls: 'none',
      verify: true,
    });
    const dns = translate('DNS_CHECK', 'type A\nname example.org').check!;
    assert.deepEqual(dns.options, { server: '192.0.2.10', port: 8080, type: 'A', name: 'example.org', expect: [] });
    assert.equal(dns.fall, 4);
    const ping = translate('PING_CHECK', 'bind_if eth0');
    assert.deepEqual(ping.check?.options, { host: '192.0.2.10', count: 1, loss: 0, size: 56, interface: 'eth0' });
    assert.deepEqual(ping.said, []);
    assert.deepEqual(translate('UDP_CHECK', 'payload 0a\nrequire_reply\nmin_reply_length 2').check?.options, {
      host: '192.0.2.10',
      port: 8080,
      payload: '0a',
      require_reply: true,
      min_reply: 2,
      max_reply: 255,
    });
  });
  for (const [name, lines] of [
    ['TCP_CHECK', 'bindto 192.0.2.2'],
    ['HTTP_GET', 'url {\npath /\ndigest d41d8cd98f00b204e9800998ecf8427e\n}'],
    ['SSL_GET', 'url {\npath /\n}'],
    ['SMTP_CHECK', ''],
    ['DNS_CHECK', 'bindto 192.0.2.2'],
    ['PING_CHECK', 'bindto 192.0.2.2'],
    ['UDP_CHECK', 'payload 0a'],
    ['MISC_CHECK', 'misc_path "/bin/true -x"\nuser nobody nogroup'],
  ] as const)
    test(`the plugin of ${name} takes what it is given`, () => {
      const { plugin, options } = translate(name, lines).check!;
      const found = checkPlugins.find((one) => one.name === plugin);
      assert.ok(found);
      const complaints: string[] = [];
      found.validate?.(options as never, (option, message) => complaints.push(`${option}: ${message}`));
      assert.deepEqual(complaints, []);
      for (const [option, value] of Object.entries(options)) {
        const spec: OptionSpec | undefined = found.options[option];
        assert.ok(spec, `${plugin} has no option ${option}`);
        assert.equal(Array.isArray(value), ('many' in spec && spec.many === true) || spec.kind === 'words', option);
      }
      for (const [option, spec] of Object.entries(found.options))
        if (('required' in spec && spec.required) || ('default' in spec && spec.kind !== 'flag'))
          assert.ok(option in options, `${plugin} needs ${option}`);
    });
  test('what has no counterpart is said', () => {
    assert.deepEqual(translate('TCP_CHECK', 'bind_port 99\nfwmark 3\ndelay_before_retry 2\nbind_if eth0').said, [
      'W031 bind_port of TCP_CHECK has no counterpart: connections come from a port of the kernel’s choice',
      'W031 fwmark of TCP_CHECK has no counterpart: packets carry no mark',
      'W031 delay_before_retry of TCP_CHECK has no counterpart: a failed check is repeated at its interval',
      'W031 bind_if of TCP_CHECK has no counterpart: the routing table chooses the interface',
    ]);
    assert.deepEqual(
      translate('HTTP_GET', 'http_protocol 1.0\nurl {\npath /\nregex a\nregex_options caseless\n}').said,
      [
        'W031 http_protocol of HTTP_GET has no counterpart: requests are HTTP/1.1 and close the connection',
        'W031 regex_options of HTTP_GET has no counterpart: the pattern is a JavaScript regular expression that may match anywhere',
      ],
    );
    assert.deepEqual(translate('UDP_CHECK', 'require_reply 0a0b').said, [
      'W031 require_reply of UDP_CHECK has no counterpart: any answer of the right length is good',
    ]);
  });
  test('what cannot be checked is no check', () => {
    for (const [name, lines, why] of [
      ['MISC_CHECK', '', 'MISC_CHECK does not say what to run'],
      ['FILE_CHECK', 'track_file f', 'FILE_CHECK is not made by a plugin'],
      ['BFD_CHECK', 'name b', 'BFD_CHECK is not made by a plugin'],
      ['HTTP_GET', '', 'HTTP_GET does not say what to ask for'],
      ['HTTP_GET', 'url {\nregex (?i)a\n}', "regex '(?i)a' is no JavaScript regular expression"],
    ] as const)
      assert.deepEqual(translate(name, lines), { check: undefined, said: [`W059 ${why}`] });
    const portless = translate('TCP_CHECK', '', { address: TARGET.address });
    assert.deepEqual(portless, { check: undefined, said: ['W059 TCP_CHECK does not know its port'] });
  });
  test('a program has its own time limit, and its user where it says one', () => {
    const { check, said } = translate(
      'MISC_CHECK',
      'misc_path "/bin/ping -c 1 a"\nmisc_timeout 3\nmisc_dynamic\nuser nobody nogroup\nretry 0',
    );
    assert.deepEqual([check?.plugin, check?.timeout, check?.fall], ['script', seconds(3), 1]);
    assert.deepEqual(check?.options, { command: ['/bin/ping', '-c', '1', 'a'], user: 'nobody', group: 'nogroup' });
    assert.deepEqual(said, [
      'W031 misc_dynamic of MISC_CHECK has no counterpart: status 0 is good and every other one is a failure',
    ]);
    const plain = translate('MISC_CHECK', 'misc_path true\ndelay_loop 7').check;
    assert.deepEqual([plain?.timeout, plain?.options], [seconds(7), { command: ['true'] }]);
  });
});

describe('the same checks in a vrrp_check', () => {
  /** The check of such a block, and what is said about it. */
  const read = (lines: string) => {
    const { configuration, diagnostics } = load(
      { file: 'f', text: `vrrp_check c {\n${lines}\n}\n` },
      { hostName: 'h', language: builtInLanguage },
    );
    const said = diagnostics.filter(({ place }) => place.line > 1).map(({ code, message }) => `${code} ${message}`);
    return { check: configuration?.checks?.[0], said };
  };
  const connect = 'connect_ip 127.0.0.1\nconnect_port 80';

  test('keepalived’s numbers count where they are written, else those of vrrp_check', () => {
    const plain = read(`TCP_CHECK {\n${connect}\n}`);
    assert.deepEqual(plain.said, []);
    assert.deepEqual(plain.check?.probe, { type: 'plugin', plugin: 'tcp', options: { host: '127.0.0.1', port: 80 } });
    const numbersOf = (lines: string) => {
      const { interval, timeout, fall, initFail } = read(lines).check!;
      return [interval, timeout, fall, initFail];
    };
    assert.deepEqual(numbersOf(`TCP_CHECK {\n${connect}\n}`), [seconds(1), seconds(1), 1, false]);
    const own = `TCP_CHECK {\n${connect}\ndelay_loop 6\nconnect_timeout 2\nretry 2\nalpha\n}`;
    assert.deepEqual(numbersOf(own), [seconds(6), seconds(2), 3, true]);
    assert.deepEqual(numbersOf(`${own}\ninterval 1.5\nfall 2\ninit_fail off`), [seconds(1.5), seconds(1.5), 2, false]);
    assert.deepEqual(numbersOf(`${own}\ninterval 9\ntimeout 4`), [seconds(9), seconds(4), 3, true]);
  });
  test('no check is made more often than others may be', () => {
    const { check, said } = read(`TCP_CHECK {\n${connect}\ndelay_loop 0.001\n}`);
    assert.deepEqual([check?.interval, check?.timeout], [seconds(0.05), seconds(0.05)]);
    assert.deepEqual(said, ['W011 delay_loop is shorter than 0.05 s, which is used']);
  });
  test('each says where it connects, for there is no real server', () => {
    for (const name of ['TCP_CHECK', 'SMTP_CHECK', 'DNS_CHECK', 'PING_CHECK', 'UDP_CHECK']) {
      const { check, said } = read(`${name} {\n}`);
      assert.equal(check?.probe.type, 'none');
      assert.ok(said.includes(`W059 ${name} does not know where to connect`), said.join('\n'));
    }
    const host = read('SMTP_CHECK {\nhost {\nconnect_ip 127.0.0.1\n}\n}');
    assert.deepEqual([host.check?.probe.type, host.said], ['plugin', []]);
  });
  test('a program needs no address', () => {
    const { check, said } = read('MISC_CHECK {\nmisc_path "/bin/true"\n}\nweight -5');
    assert.deepEqual(check?.probe, { type: 'plugin', plugin: 'script', options: { command: ['/bin/true'] } });
    assert.deepEqual([check?.weight, said], [-5, []]);
  });
  test('one of them is one check', () => {
    assert.deepEqual(read(`TCP_CHECK {\n${connect}\n}\nPING_CHECK {\nconnect_ip 127.0.0.1\n}`).said, [
      'W059 vrrp_check c has both TCP_CHECK and PING_CHECK',
    ]);
  });
});
