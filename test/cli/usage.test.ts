import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandSpec, helpText, overviewText, parseCommand, suggest, unknownVerb } from '../../core/cli/usage.ts';

const spec: CommandSpec = {
  name: 'run',
  summary: 'run the agent',
  operands: [{ name: 'FILE', help: 'the configuration' }],
  options: [
    {
      name: 'use-file',
      short: 'f',
      value: 'FILE',
      help: 'the configuration file',
      fallback: '/etc/keepalived/keepalived.conf',
    },
    { name: 'log-console', short: 'l', help: 'log to the console' },
    { name: 'dont-fork', short: 'n', help: 'stay in the foreground', hidden: true },
    { name: 'vrrp-peer', value: 'ADDRESS', help: 'a peer, may be repeated' },
  ],
  exitCodes: [
    [0, 'ended when asked to'],
    [2, 'the command line is wrong'],
  ],
  notes: ['Signals: HUP reads the configuration again.'],
};

function args(...argv: string[]) {
  const parsed = parseCommand(spec, argv);
  assert.ok(parsed.type === 'run', parsed.type === 'error' ? parsed.message : 'help');
  return parsed.args;
}

function fault(...argv: string[]): string {
  const parsed = parseCommand(spec, argv);
  assert.ok(parsed.type === 'error');
  const [first, second] = parsed.message.split('\n');
  assert.equal(second, 'Try `vipkeeper run --help`.');
  return first!;
}

test('long, short and joined options mean the same', () => {
  for (const argv of [
    ['--use-file', 'a.conf', '-l'],
    ['--use-file=a.conf', '--log-console'],
    ['-f', 'a.conf', '-nl'],
    ['-nlfa.conf'],
  ]) {
    const parsed = args(...argv);
    assert.deepEqual([parsed.text('use-file'), parsed.has('log-console')], ['a.conf', true]);
  }
});

test('an option that is not given has its fallback', () => {
  const parsed = args();
  assert.deepEqual(
    [parsed.text('use-file'), parsed.has('use-file'), parsed.text('vrrp-peer'), parsed.has('log-console')],
    ['/etc/keepalived/keepalived.conf', false, undefined, false],
  );
});

test('of a repeated option the last value counts, and all can be had', () => {
  const parsed = args('--vrrp-peer', '10.0.0.1', '--vrrp-peer=10.0.0.2');
  assert.equal(parsed.text('vrrp-peer'), '10.0.0.2');
  assert.deepEqual(parsed.all('vrrp-peer'), ['10.0.0.1', '10.0.0.2']);
});

test('after two dashes everything is an operand', () => {
  assert.deepEqual(args('--', '-l').operands, ['-l']);
});

test('asking for an option that the table does not have is a bug', () => {
  assert.throws(() => args().has('nonsense'));
});

const faults: readonly [argv: string[], message: string][] = [
  [['--use-fiel', 'x'], 'vipkeeper run: unknown option --use-fiel, did you mean --use-file?'],
  [['--LOG-console'], 'vipkeeper run: unknown option --LOG-console, did you mean --log-console?'],
  [['--quite-different'], 'vipkeeper run: unknown option --quite-different'],
  [['-z'], 'vipkeeper run: unknown option -z'],
  [['--__proto__'], 'vipkeeper run: unknown option --__proto__'],
  [['-f'], 'vipkeeper run: option -f needs a value: FILE'],
  [['--use-file='], 'vipkeeper run: option --use-file needs a value: FILE'],
  [
    ['--use-file', '-l'],
    'vipkeeper run: option --use-file needs a value: FILE (one that begins with a dash: --use-file=-l)',
  ],
  [['--log-console=yes'], 'vipkeeper run: option --log-console takes no value, but got yes'],
  [['a', 'b'], 'vipkeeper run: unexpected operand b'],
];

for (const [argv, message] of faults)
  test(`${argv.join(' ')} is refused: ${message.slice(15)}`, () => {
    assert.equal(fault(...argv), message);
  });

test('a value that begins with a dash may be given with an equals sign, and a lone dash as it is', () => {
  assert.equal(args('--use-file=-l').text('use-file'), '-l');
  assert.equal(args('-f', '-').text('use-file'), '-');
});

test('a required operand that is missing is named', () => {
  const parsed = parseCommand({ ...spec, operands: [{ name: 'FILE', help: 'the configuration', required: true }] }, []);
  assert.ok(parsed.type === 'error' && parsed.message.startsWith('vipkeeper run: FILE is missing: the configuration'));
});

test('the last operand may take any number', () => {
  const parsed = parseCommand({ ...spec, operands: [{ name: 'FILE', help: 'a file', many: true }] }, ['a', 'b', 'c']);
  assert.deepEqual(parsed.type === 'run' && parsed.args.operands, ['a', 'b', 'c']);
});

test('--help and -h give the help, whatever else is there', () => {
  for (const argv of [['--help'], ['-h'], ['-l', '--help', 'a', 'b']])
    assert.equal(parseCommand(spec, argv).type, 'help');
});

test('the help reads like this', () => {
  assert.equal(
    helpText(spec, 80),
    `Run the agent.

Usage: vipkeeper run [OPTIONS] [FILE]

Operands:
  FILE  the configuration

Options:
  -f, --use-file FILE      the configuration file (default:
                           /etc/keepalived/keepalived.conf)
  -l, --log-console        log to the console
      --vrrp-peer ADDRESS  a peer, may be repeated
  -h, --help               show this help

Exit codes:
  0  ended when asked to
  2  the command line is wrong

Signals: HUP reads the configuration again.
`,
  );
});

test('the overview lists the verbs', () => {
  const text = overviewText('vipkeeper keeps addresses reachable.', [
    spec,
    { ...spec, name: 'status', summary: 'show it' },
  ]);
  assert.match(text, /\n {2}run {5}run the agent\n {2}status {2}show it\n/);
});

test('a verb that does not exist is answered with the likely one', () => {
  assert.match(unknownVerb('rnu', [spec]), /there is no verb rnu, did you mean run\?/);
  assert.match(unknownVerb('frobnicate', [spec]), /^vipkeeper: there is no verb frobnicate\nTry/);
});

test('only near words are suggested, the nearest first', () => {
  const words = ['status', 'run', 'demo', 'check-config'];
  assert.equal(suggest('stauts', words), 'status');
  assert.equal(suggest('chek-config', words), 'check-config');
  assert.equal(suggest('dmeo', words), 'demo');
  assert.equal(suggest('xyz', words), undefined);
  assert.equal(suggest('', words), undefined);
  assert.equal(suggest('run', []), undefined);
});
