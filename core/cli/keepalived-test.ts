// `keepalived -t`: the configuration test with keepalived's exit codes and line shape. Only what keepalived 2.2.7 too
// would say something about counts, so that a file which passes there passes here; `vipkeeper check-config` says more.
import { writeFileSync } from 'node:fs';
import { keepalivedLines } from '../agent/log-keepalived.ts';
import { type Code, type Diagnostic, Report } from '../config/diagnostics.ts';
import { load } from '../config/load.ts';
import type { Configuration } from '../config/model.ts';
import { outlineOf } from '../config/outline.ts';
import { reportRisks } from '../config/risks.ts';
import { type CheckIo, languageOf } from './check-config.ts';
import { reportUnsafeScripts } from './check-config-host.ts';

export const TEST_PASSED = 0;
/** The file cannot be read. (2.2.7 says 0, which makes a wrong path pass.) */
export const TEST_IMPOSSIBLE = 4;
/** keepalived would have something to say about the file, be it a warning. */
export const TEST_COMPLAINTS = 5;
/** The only complaint is that scripts run without enable_script_security. */
export const TEST_SECURITY = 6;

/** Findings about which keepalived is silent: they are about us, or advice. */
const SILENT: ReadonlySet<Code> = new Set<Code>([
  'W030',
  'W031',
  'W032',
  'W049',
  'W053',
  'W054',
  'W056',
  'W057',
  'W072',
  'W073',
  'W074',
  'W075',
  'W076',
  'W077',
  'W078',
]);
/**
 * keepalived does not look for notify scripts, drops a password of VRRPv3 without a word, and prints something about an
 * unknown state but does not hold it against the file.
 */
const isSilent = ({ severity, code, message }: Diagnostic): boolean =>
  severity === 'info' ||
  SILENT.has(code) ||
  (code === 'W051' && message.startsWith('notify')) ||
  (code === 'W012' && message.startsWith("state '")) ||
  (code === 'W041' && message.includes('VRRP version 3'));

const NO_SCRIPT_SECURITY: Code = 'I063';

/** @param log a file for the messages; undefined: stderr */
export async function testConfiguration(
  file: string,
  { configId, log }: { readonly configId: string | undefined; readonly log: string | undefined },
  io: CheckIo,
): Promise<number> {
  const lines: string[] = [];
  const code = await judge(file, configId, io, lines);
  const text = lines.map((line) => `${line}\n`).join('');
  if (log === undefined) io.err(text);
  else writeFileSync(log, text, { mode: 0o600 });
  return code;
}

async function judge(file: string, configId: string | undefined, io: CheckIo, lines: string[]): Promise<number> {
  let text: string;
  try {
    text = io.readFile(file);
  } catch {
    lines.push(`Config files missing '${file}'.`);
    return TEST_IMPOSSIBLE;
  }
  const source = { file, text };
  const options = {
    hostName: io.hostName,
    environment: io.environment,
    reader: io.includes,
    ...(configId !== undefined && { configId }),
    ...(io.probe && { probe: io.probe }),
    ...(io.host?.readSecret && { readSecret: io.host.readSecret }),
    ...(io.host?.routeNames && { routeNames: io.host.routeNames() }),
    language: await languageOf(file, io, configId),
  };
  const { configuration, diagnostics } = load(source, options);
  const extra = new Report();
  if (configuration && io.host) {
    const outline = outlineOf(source, options);
    reportRisks(configuration, outline, io.host.interfaces(), extra);
    await reportUnsafeScripts(configuration, outline, io.host.files, extra);
  }
  const all = [...diagnostics, ...extra.sorted()];
  const complaints = all.filter((one) => !isSilent(one));
  for (const complaint of complaints) lines.push(...keepalivedLine(complaint));
  const insecure = all.some(({ code }) => code === NO_SCRIPT_SECURITY) && runsPrograms(configuration);
  // Without enable_script_security an unsafe script runs: that is a matter of security, not of the file.
  const others = complaints.filter(({ code }) => !(insecure && code === 'W071'));
  if (insecure) lines.push('SECURITY VIOLATION - scripts are being executed but script_security not enabled.');
  return others.length > 0 ? TEST_COMPLAINTS : insecure ? TEST_SECURITY : TEST_PASSED;
}

/** Whether anything would be run: programs that do not exist are gone from a configuration. */
function runsPrograms(configuration: Configuration | undefined): boolean {
  const { scripts = [], instances = [], groups = [] } = configuration ?? {};
  return (
    scripts.length > 0 ||
    [...instances, ...groups].some(({ notify }) => Object.values(notify).some((one) => typeof one === 'object'))
  );
}

function keepalivedLine({ severity, code, place, message }: Diagnostic): readonly string[] {
  const at = `${place.file}:${place.line}:${place.column}`;
  return keepalivedLines(severity === 'info' ? 'info' : 'warning', 'config', { at, code, detail: message });
}
