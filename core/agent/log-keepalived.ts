// The log in keepalived's phrases, for the rules that people have for its log: `(VI_1) Entering MASTER STATE`,
// `VRRP_Script(chk) failed (exited with status 1)`, `(file: Line N) Unknown keyword 'x'`. Pure. Worded after 2.2.7; what
// keepalived has no phrase for is said in ours.
import { formatLine, type LogFields, type LogLevel } from './log.ts';

/** What earlier events said that later lines repeat: the effective priority of each virtual router. */
export type PhraseMemory = Map<string, string>;

/** One event may be several lines, as there. Without their times. */
export function keepalivedLines(
  level: LogLevel,
  event: string,
  fields: LogFields,
  priorities: PhraseMemory = new Map(),
): readonly string[] {
  const text = (key: string): string => oneLine(String(fields[key] ?? ''));
  switch (event) {
    case 'starting':
      return [`Starting vipkeeper v${text('version')} as Keepalived`, `Configuration file ${text('file')}`];
    case 'running':
      return ['Startup complete'];
    case 'reloaded':
      return ['Reloading ...', 'Reload finished'];
    case 'reload-refused':
      return ['Reload refused: the running configuration stays'];
    case 'configuration-refused':
      return [`Configuration refused: ${text('why')}`];
    case 'stopping':
      return ['Stopping'];
    case 'stopped':
      return ['Stopped'];
    case 'config':
      return [configLine(text('at'), text('code'), text('detail'))];
    case 'priority': {
      const before = priorities.get(text('instance'));
      priorities.set(text('instance'), text('priority'));
      const from = before === undefined ? '' : ` from ${before}`;
      return [`(${text('instance')}) Changing effective priority${from} to ${text('priority')}`];
    }
    case 'lower-priority-heard':
      return [`(${text('instance')}) Received advert from ${text('source')} with lower priority`];
    case 'transition':
      priorities.set(text('instance'), text('priority'));
      return transitionLines(text('instance'), text('from'), text('to'), text('why'), text('detail'), text('priority'));
    case 'group-transition':
      return /^(MASTER|BACKUP|FAULT)$/.test(text('to')) && !(text('from') === 'INIT' && text('to') === 'FAULT')
        ? [`VRRP_Group(${text('group')}) Syncing instances to ${text('to')} state`]
        : [];
    case 'check':
      return scriptLines(text('script'), text('up'), text('detail'));
    case 'option':
      return [text('detail')];
    case 'script':
      return programLines(text('detail'));
    case 'dumped':
      return [
        `Printing${text('cleared') === 'true' ? ' and clearing' : ''} VRRP ${text('what') === 'json' ? 'as json' : text('what')} for process(${text('pid')}) on signal`,
      ];
    default:
      return [oneLine(formatLine(level, event, fields))];
  }
}

function configLine(at: string, code: string, detail: string): string {
  const [, file, line] = /^(.*):(\d+):\d+$/.exec(at) ?? [undefined, at, '0'];
  const keyword = code === 'W010' ? /^unknown keyword (\S+)/.exec(detail)?.[1] : undefined;
  return `(${file}: Line ${line}) ${keyword === undefined ? detail : `Unknown keyword '${keyword}'`}`;
}

function transitionLines(
  instance: string,
  from: string,
  to: string,
  why: string,
  detail: string,
  ours: string,
): string[] {
  const say = (words: string): string => `(${instance}) ${words}`;
  const leaves = from === 'MASTER' || from === 'LEAVING' ? [say('removing VIPs.')] : [];
  switch (to) {
    case 'MASTER':
      return [
        ...(why === 'priority-zero' ? [say('Backup received priority 0 advertisement')] : []),
        ...(why === 'priority-zero' || why === 'master-timeout' ? [say('Receive advertisement timeout')] : []),
        say('Entering MASTER STATE'),
        say('setting VIPs.'),
      ];
    case 'BACKUP':
      return [
        ...(why.startsWith('higher-') ? [say(yieldText(detail, ours))] : []),
        say(`Entering BACKUP STATE${from === 'INIT' ? ' (init)' : ''}`),
        ...leaves,
      ];
    case 'FAULT':
      // keepalived waits for the first result of a check in BACKUP: an alert about FAULT must not go off at each start
      if (from !== 'MASTER' && detail.includes('waiting for its first result')) return [];
      return [say(`entering FAULT state (${detail || why})`), say('Entering FAULT STATE'), ...leaves];
    case 'LEAVING':
      return [say('sent 0 priority')];
    default:
      return leaves;
  }
}

/** @param detail the router's words: `192.0.2.2 has priority 100` */
function yieldText(detail: string, ours: string): string {
  const [, from, theirs] = /^(\S+) has priority (\d+)$/.exec(detail) ?? [];
  if (from === undefined) return `Master received advert: ${detail}`;
  const comparison =
    theirs === ours
      ? `same priority ${theirs} but higher IP address than ours`
      : `higher priority ${theirs}, ours ${ours}`;
  return `Master received advert from ${from} with ${comparison}`;
}

function scriptLines(script: string, up: string, detail: string): string[] {
  if (up === 'true') return [`VRRP_Script(${script}) succeeded`];
  if (up !== 'false') return [];
  const why = detail
    .replace(/^exit code (\d+)/, 'exited with status $1')
    .replace(/^killed by (\S+)/, 'due to signal $1')
    .replace(/^timed out.*/, 'timed_out');
  return [`VRRP_Script(${script}) failed${why === '' ? '' : ` (${why})`}`];
}

/** Findings of script-security.ts; keepalived's about unsafe ones are known by `Unsafe permissions found`. */
function programLines(detail: string): string[] {
  const disabled = /^Disabling (.*): unsafe permissions found for (\S+): /.exec(detail);
  if (disabled)
    return [
      `Unsafe permissions found for script '${disabled[2]}' - disabling.`,
      `Disabling ${disabled[1]} due to insecure`,
    ];
  const unsafe = /^.* is unsafe: (\S+) would run as root/.exec(detail);
  return unsafe ? [`Unsafe permissions found for script '${unsafe[1]}'.`, detail] : [detail];
}

/** What comes from a file or a program must not make two lines or steer a terminal. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');
