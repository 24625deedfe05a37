// The checks of keepalived's real servers (TCP_CHECK, HTTP_GET …), there or in a vrrp_check, as checks that our plugins
// make: pure translation of what was read. What has no counterpart is told. Knows plugins by the names of their options only.
import type { IpAddress } from '../net/address.ts';
import type { ProbeConfig } from '../plugin/check.ts';
import { type Micros, micros, seconds } from '../units.ts';
import type { Place, Report } from './diagnostics.ts';
import type { Found, Rows, Values } from './keywords/row.ts';
import type { Command, ScriptUser } from './model.ts';

/** What is checked, and what its real and virtual server say for all of their checks. */
export interface NativeTarget {
  /** undefined: there is no real server, and the check must say connect_ip. */
  readonly address?: IpAddress;
  /** 1..65535; undefined: the real server has none. */
  readonly port?: number;
  readonly virtualhost?: string;
  readonly connectTimeout?: Micros;
  readonly delayLoop?: Micros;
  /** 0 .. 2^32-1 */
  readonly retry?: number;
  readonly alpha?: boolean;
}

/** As in CheckConfig. */
export interface NativeCheck extends ProbeConfig {
  readonly interval: Micros;
  /** At most the interval. */
  readonly timeout: Micros;
  readonly rise: number;
  /**
   * One more than `retry`: so many failures in a row are what keepalived calls one. It repeats them each
   * delay_before_retry, we at each interval, which is later: a check that hurries when it fails would fail when it must
   * not, under load. Whoever wants it sooner shortens delay_loop.
   */
  readonly fall: number;
  readonly initFail: boolean;
}

type Block = Values<Rows>;
/** One translation at work: the block, where to complain, and what holds without its keywords. */
interface Translation {
  readonly name: string;
  readonly block: Block;
  readonly place: Place;
  readonly target: NativeTarget;
  readonly report: Report;
}
type Options = ProbeConfig['options'] | undefined;

const DELAY_LOOP = seconds(60);
const CONNECT_TIMEOUT = seconds(5);
/** Keywords of every check without a counterpart. */
const NOWHERE = {
  bind_port: 'connections come from a port of the kernel’s choice',
  fwmark: 'packets carry no mark',
  delay_before_retry: 'a failed check is repeated at its interval',
  warmup: 'first probes are spread over at most a second',
  log_all_failures: 'changes are logged; vipkeeper status shows every result',
  fast_recovery: 'all pages are asked for at every interval, so one success of all is enough',
  tls_compliant: 'how a TLS session ends is not looked at',
} as const;

const PLUGINS: Readonly<Record<string, { readonly plugin: string; readonly options: (t: Translation) => Options }>> = {
  TCP_CHECK: { plugin: 'tcp', options: (t) => withPort(t, undefined) },
  HTTP_GET: { plugin: 'http', options: (t) => httpOptions(t, false) },
  SSL_GET: { plugin: 'http', options: (t) => httpOptions(t, true) },
  SMTP_CHECK: { plugin: 'smtp', options: smtpOptions },
  DNS_CHECK: { plugin: 'dns', options: dnsOptions },
  PING_CHECK: { plugin: 'ping', options: pingOptions },
  UDP_CHECK: { plugin: 'udp', options: udpOptions },
  MISC_CHECK: { plugin: 'script', options: scriptOptions },
};
/** Checks that something else does. */
const INSTEAD: Readonly<Record<string, string>> = {
  FILE_CHECK: 'track the file with track_file',
  BFD_CHECK: 'track the session with track_bfd',
};
/** The checks that plugins make, and by which plugin. */
export const NATIVE_CHECKS: ReadonlyMap<string, string> = new Map(
  Object.entries(PLUGINS).map(([name, { plugin }]) => [name, plugin]),
);
/** keepalived's own numbers where they are not 1. */
const RETRY: Readonly<Record<string, number>> = { DNS_CHECK: 3 };

/** @returns undefined: there is no such check here, which was reported */
export function nativeCheck(
  name: string,
  block: Block,
  place: Place,
  target: NativeTarget,
  report: Report,
): NativeCheck | undefined {
  const known = PLUGINS[name];
  if (known === undefined) {
    report.add('W059', place, `${name} is not made by a plugin`, { value: name, suggestion: INSTEAD[name] });
    return undefined;
  }
  const t: Translation = { name, block, place, target, report };
  for (const [keyword, instead] of Object.entries(NOWHERE)) lacks(t, keyword, instead);
  if (name !== 'PING_CHECK') lacks(t, 'bind_if', 'the routing table chooses the interface');
  const options = known.options(t);
  if (options === undefined) return undefined;
  const interval = read<Micros>(block, 'delay_loop') ?? target.delayLoop ?? DELAY_LOOP;
  const timeout =
    name === 'MISC_CHECK'
      ? (read<Micros>(block, 'misc_timeout') ?? interval)
      : (read<Micros>(block, 'connect_timeout') ?? target.connectTimeout ?? CONNECT_TIMEOUT);
  return {
    plugin: known.plugin,
    options,
    interval,
    timeout: micros(Math.min(timeout, interval)),
    rise: 1,
    fall: (read<number>(block, 'retry') ?? target.retry ?? RETRY[name] ?? 1) + 1,
    initFail: read<boolean>(block, 'alpha') ?? target.alpha ?? false,
  };
}

const read = <T>(block: Block, keyword: string): T | undefined => (block[keyword] as Found<T> | undefined)?.value;

function lacks({ name, block, report }: Translation, keyword: string, instead: string): void {
  const found = block[keyword];
  if (found !== undefined) report.add('W031', found.place, `${keyword} of ${name} has no counterpart: ${instead}`);
}

/** Where a check connects, and from where. */
function common(t: Translation): Options {
  const host = read<IpAddress>(t.block, 'connect_ip') ?? t.target.address;
  if (host === undefined) return missing(t, 'does not know where to connect', 'add connect_ip');
  const source = read<IpAddress>(t.block, 'bindto');
  return { host, ...(source !== undefined && { source }) };
}

function missing({ name, place, report }: Translation, what: string, suggestion: string): undefined {
  report.add('W059', place, `${name} ${what}`, { value: name, suggestion });
  return undefined;
}

/** @param usual the port of the protocol, where it has one */
function withPort(t: Translation, usual: number | undefined): Options {
  const port = read<number>(t.block, 'connect_port') ?? t.target.port ?? usual;
  const connection = common(t);
  if (port !== undefined) return connection && { ...connection, port };
  const server = t.target.address === undefined ? '' : ', or a port to the real server';
  return missing(t, 'does not know its port', `add connect_port${server}`);
}

/** keepalived asks for one page in turn each delay_loop; we ask for all, so that a bad one is noticed at once. */
function httpOptions(t: Translation, tls: boolean): Options {
  const connection = withPort(t, tls ? 443 : 80);
  const pages = read<readonly Block[]>(t.block, 'url') ?? [];
  if (pages.length === 0) return missing(t, 'does not say what to ask for', 'add url { path / }');
  if (read<string>(t.block, 'http_protocol')?.startsWith('1.0'))
    lacks(t, 'http_protocol', 'requests are HTTP/1.1 and close the connection');
  const virtualhost = read<string>(t.block, 'virtualhost') ?? t.target.virtualhost;
  const sni = read<string>(t.block, 'sni_name') ?? virtualhost;
  const asksName = read<boolean>(t.block, 'enable_sni') === true && sni !== undefined;
  const url = pages.map((page) => pageOptions({ ...t, block: page }));
  if (connection === undefined || url.includes(undefined)) return undefined;
  return {
    ...connection,
    tls,
    // keepalived never looks at the certificate.
    verify: false,
    ...(tls && asksName && { sni }),
    ...(virtualhost !== undefined && { virtualhost }),
    header: [],
    redirects: 0,
    url,
  };
}

function pageOptions(t: Translation): Options {
  for (const keyword of ['regex_options', 'regex_min_offset', 'regex_max_offset', 'regex_stack'])
    lacks(t, keyword, 'the pattern is a JavaScript regular expression that may match anywhere');
  lacks(t, 'tls_compliant', NOWHERE.tls_compliant);
  const pattern = t.block['regex'] as Found<string> | undefined;
  if (pattern !== undefined && !compiles(pattern.value)) {
    t.report.add('W059', pattern.place, `regex '${pattern.value}' is no JavaScript regular expression`, {
      value: pattern.value,
      suggestion: 'PCRE2 and JavaScript differ in a few constructs: write it without them',
    });
    return undefined;
  }
  const found = pattern === undefined ? [] : [pattern.value];
  const forbidden = read<true>(t.block, 'regex_no_match') === true;
  const status = read<readonly string[]>(t.block, 'status_code');
  const digest = read<string>(t.block, 'digest');
  const virtualhost = read<string>(t.block, 'virtualhost');
  return {
    path: read<string>(t.block, 'path') ?? '/',
    method: 'GET',
    ...(status !== undefined && { status }),
    match: forbidden ? [] : found,
    no_match: forbidden ? found : [],
    ...(digest !== undefined && { digest }),
    ...(virtualhost !== undefined && { virtualhost }),
  };
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}

/** The old host block says where to connect; of several only the first is asked. */
function smtpOptions(t: Translation): Options {
  const [first, second] = read<readonly Block[]>(t.block, 'host') ?? [];
  if (second !== undefined) lacks(t, 'host', 'one check asks one server; the first host counts');
  const at = { ...t, block: { ...t.block, ...first } };
  const name = read<string>(t.block, 'helo_name');
  const connection = withPort(at, 25);
  return connection && { ...connection, ...(name !== undefined && { helo_name: name }), tls: 'none', verify: true };
}

function dnsOptions(t: Translation): Options {
  const connection = withPort(t, 53);
  if (connection === undefined) return undefined;
  const { host: server, ...rest } = connection;
  const type = read<string>(t.block, 'type') ?? 'SOA';
  return { server, ...rest, type, name: read<string>(t.block, 'name') ?? '.', expect: [] };
}

function pingOptions(t: Translation): Options {
  const name = read<string>(t.block, 'bind_if');
  lacks(t, 'connect_port', 'an echo request has no port');
  const target = common(t);
  return target && { ...target, count: 1, loss: 0, size: 56, ...(name !== undefined && { interface: name }) };
}

function udpOptions(t: Translation): Options {
  const connection = withPort(t, undefined);
  const reply = read<string>(t.block, 'require_reply');
  if (reply) lacks(t, 'require_reply', 'any answer of the right length is good');
  if (connection === undefined) return undefined;
  return {
    ...connection,
    payload: read<string>(t.block, 'payload') ?? '',
    require_reply: reply !== undefined,
    min_reply: read<number>(t.block, 'min_reply_length') ?? 0,
    max_reply: read<number>(t.block, 'max_reply_length') ?? 255,
  };
}

function scriptOptions(t: Translation): Options {
  lacks(t, 'misc_dynamic', 'status 0 is good and every other one is a failure');
  const command = read<Command>(t.block, 'misc_path');
  if (command === undefined) return missing(t, 'does not say what to run', 'add misc_path');
  const owner = read<ScriptUser>(t.block, 'user');
  return {
    command: command.argv,
    ...(owner && { user: owner.user }),
    ...(owner?.group !== undefined && { group: owner.group }),
  };
}
