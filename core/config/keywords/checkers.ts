// The checks of a real server. There nobody acts on them yet, they are read so that mistakes in them are found; in a
// vrrp_check the same blocks are made by our plugins.
import {
  address,
  choice,
  command,
  type Field,
  flag,
  integer,
  interfaceName,
  mark,
  optional,
  seconds,
  text,
  words,
} from '../fields.ts';
import { scriptUser } from './global-defs.ts';
import { type Block, pieces, type Rows } from './row.ts';
import { weightField } from './track.ts';

const PORT = integer(1, 65_535);
const TIME = seconds(0, 4294);

export const retryRows = {
  retry: { value: integer(0, 4_294_967_295), synonyms: ['nb_get_retry'], default: '1', help: 'failures more than one' },
  delay_before_retry: { value: TIME, default: '1', help: 'seconds until a failed check is repeated' },
  warmup: { value: TIME, default: 'up to delay_loop, by chance', help: 'seconds until the first check' },
  delay_loop: { value: seconds(0.000001, 4294), default: '60', help: 'seconds from one check to the next' },
  alpha: { value: flag, default: 'off', help: 'counts as down until the first success' },
} as const satisfies Rows;

const commonRows = {
  ...retryRows,
  log_all_failures: { value: flag, default: 'off', help: 'log every failure, not only the last one' },
} as const satisfies Rows;

const connectRows = {
  connect_ip: { value: address(), help: 'address to connect to; default: the real server' },
  connect_port: { value: PORT, help: 'port to connect to; default: that of the real server' },
  bindto: { value: address(), help: 'address to connect from' },
  bind_port: { value: PORT, help: 'port to connect from' },
  bind_if: { value: interfaceName, help: 'interface to connect from' },
  connect_timeout: { value: seconds(0.000001, 4294), default: '5', help: 'seconds that connecting may take' },
  fwmark: { value: integer(0, 4_294_967_295), help: 'mark of the packets' },
} as const satisfies Rows;

const status: Field<readonly string[]> = words('CODE[-CODE] …');

const tlsCompliant = {
  value: flag,
  default: 'off',
  since: '2.2.8',
  help: 'a server must end its TLS session by the rules',
} as const;

const urlRows = {
  path: { value: text('path'), help: 'what to ask for' },
  digest: { value: text('md5'), help: 'MD5 sum of the answer, 32 hexadecimal digits' },
  status_code: { value: status, default: '200-299', help: 'codes of success', example: '200-299 301' },
  virtualhost: { value: text('host'), lenient: true, help: 'name in the Host header' },
  regex: { value: text('pattern'), help: 'what the answer must contain (PCRE2)' },
  regex_no_match: { value: mark, help: 'the answer must not contain it' },
  regex_options: { value: words('OPTION …'), help: 'PCRE2 options', example: 'caseless multiline' },
  regex_min_offset: { value: integer(0, 2_147_483_647), help: 'where a match may begin at the earliest' },
  regex_max_offset: { value: integer(0, 2_147_483_647), help: 'where a match may begin at the latest' },
  regex_stack: { value: words('START MAX'), help: 'bytes of stack for matching', example: '32768 1048576' },
  tls_compliant: tlsCompliant,
} as const satisfies Rows;

const url: Block<typeof urlRows> = { name: 'url', help: 'one thing to ask for', rows: urlRows };

const httpRows = {
  ...commonRows,
  ...connectRows,
  http_protocol: { value: choice(['1.0', '1.0C', '1.0c', '1.1']), default: '1.0', help: 'version of HTTP' },
  virtualhost: { value: text('host'), lenient: true, help: 'name in the Host header' },
  fast_recovery: { value: flag, default: 'off', help: 'one success of all is enough to come back' },
  enable_sni: { value: flag, default: 'off', help: 'say the name of the host in the TLS handshake' },
  sni_name: { value: text('host'), since: '2.4.4', help: 'another name to say there' },
  tls_compliant: tlsCompliant,
  url: {
    value: pieces(url),
    repeat: 'join',
    help: 'what to ask for; several are asked for in turn',
    example: 'path /health\nstatus_code 200',
  },
} as const satisfies Rows;

const block = <R extends Rows>(name: string, help: string, rows: R): Block<R> => ({ name, help, rows });

const hostRows = { ...connectRows } as const satisfies Rows;

const checkers = {
  TCP_CHECK: block('TCP_CHECK', 'succeeds when it can connect', { ...commonRows, ...connectRows } as const),
  HTTP_GET: block('HTTP_GET', 'succeeds when HTTP answers as it should', httpRows),
  SSL_GET: block('SSL_GET', 'the same over TLS; certificates are not checked', httpRows),
  SMTP_CHECK: block('SMTP_CHECK', 'succeeds when a mail server greets', {
    ...commonRows,
    ...connectRows,
    helo_name: { value: text('name'), default: 'keepalived.org', help: 'name to say in HELO' },
    host: {
      value: pieces(block('host', 'where to connect, as it was once said', hostRows)),
      repeat: 'join',
      help: 'where to connect; deprecated, its keywords may stand outside',
    },
  } as const satisfies Rows),
  DNS_CHECK: block('DNS_CHECK', 'succeeds when a name server answers', {
    ...commonRows,
    ...connectRows,
    type: {
      value: choice(['A', 'NS', 'CNAME', 'SOA', 'MX', 'TXT', 'AAAA']),
      default: 'SOA',
      help: 'kind of record to ask for',
    },
    name: { value: text('domain'), default: '.', help: 'name to ask for' },
  } as const satisfies Rows),
  MISC_CHECK: block('MISC_CHECK', 'succeeds when a program ends with 0', {
    ...commonRows,
    misc_path: { value: command(false), help: 'the program' },
    misc_timeout: { value: seconds(0.000001, 4294), help: 'seconds that it may take; default: delay_loop' },
    misc_dynamic: { value: mark, help: 'an end with 2 to 255 sets the weight to that less 2' },
    user: { value: scriptUser, help: 'user to run it as', example: 'nobody nogroup' },
  } as const satisfies Rows),
  PING_CHECK: block('PING_CHECK', 'succeeds when the server answers an echo request', {
    ...commonRows,
    ...connectRows,
  } as const),
  UDP_CHECK: block('UDP_CHECK', 'fails when a datagram is refused', {
    ...commonRows,
    ...connectRows,
    payload: { value: text('hex'), help: 'what to send, in hexadecimal digits' },
    require_reply: { value: optional(text('hex'), ''), help: 'an answer must come, with these bytes if given' },
    min_reply_length: { value: integer(0, 65_535), help: 'fewest bytes of the answer' },
    max_reply_length: { value: integer(0, 65_535), default: '255', help: 'most bytes of the answer' },
  } as const satisfies Rows),
  BFD_CHECK: block('BFD_CHECK', 'succeeds while a bfd_instance is up', {
    name: { value: text('bfd_instance'), help: 'the session' },
    alpha: retryRows.alpha,
  } as const satisfies Rows),
  FILE_CHECK: block('FILE_CHECK', 'moves the weight by the number in a track_file', {
    track_file: { value: text('track_file'), help: 'the file' },
    weight: { value: weightField(2_147_483_647), default: '1', help: 'multiplies the number', example: '10 reverse' },
  } as const satisfies Rows),
} as const;

const EXAMPLES: Readonly<Record<string, string>> = {
  TCP_CHECK: 'connect_timeout 3',
  DNS_CHECK: 'type A\nname example.org',
  MISC_CHECK: 'misc_path "/usr/local/bin/check"',
};

export const checkerRows: Rows = Object.fromEntries(
  Object.entries(checkers).map(([name, checker]) => [
    name,
    {
      value: pieces(checker as Block),
      repeat: 'join',
      help: checker.help,
      ...(EXAMPLES[name] !== undefined && { example: EXAMPLES[name] }),
    },
  ]),
);
