// What a configuration is checked against on the machine it is for: its interfaces, and whether its scripts are safe.
import { readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { vetCommands } from '../agent/script-security.ts';
import type { Report } from '../config/diagnostics.ts';
import type { Command, Configuration } from '../config/model.ts';
import { blocksOf, type Outline, placeIn, startOf } from '../config/outline.ts';
import type { HostInterface } from '../config/risks.ts';
import { type RouteNames, routeNames } from '../config/route-names.ts';
import type { SecretReader } from '../config/secrets.ts';
import { parseIp } from '../net/address.ts';
import type { Files } from '../ports/files.ts';
import { SystemFiles } from '../system/files.ts';
import { nameFiles } from '../system/route-name-files.ts';
import { readSecretFile } from '../system/secret-file.ts';

export interface HostView {
  interfaces(): readonly HostInterface[];
  /** Names of its routing tables and the like; absent: those that everybody knows. */
  routeNames?(): RouteNames;
  readonly files: Files;
  /** Reads files with keys. */
  readonly readSecret?: SecretReader;
}

/** Scripts that the agent would refuse or run at a risk, each at its own line. */
export async function reportUnsafeScripts(
  configuration: Configuration,
  outline: Outline,
  files: Files,
  report: Report,
): Promise<void> {
  const { globals, scripts, instances, groups } = configuration;
  const policy = { defaultUser: globals.scriptUser, enforce: globals.enableScriptSecurity };
  const start = startOf(outline.file);
  const tracked = new Set([...instances, ...groups].flatMap((one) => one.trackScripts.map(({ name }) => name)));
  const commands = scripts
    .filter(({ name }) => tracked.has(name))
    .map(({ name, command }) => ({
      what: `vrrp_script ${name}`,
      command,
      place: placeIn(blocksOf(outline, 'vrrp_script', name)[0], ['script'], start),
    }));
  for (const [keyword, owners] of [
    ['vrrp_instance', instances],
    ['vrrp_sync_group', groups],
  ] as const)
    for (const { name, notify } of owners)
      for (const [kind, command] of Object.entries(notify))
        if (isCommand(command)) {
          const told = kind === 'any' ? 'notify' : `notify_${kind.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}`;
          const place = placeIn(blocksOf(outline, keyword, name)[0], [told], start);
          commands.push({ what: `${told} of ${name}`, command, place });
        }
  for (const { what, command, place } of commands) {
    const { findings } = await vetCommands([{ what, command }], policy, files);
    for (const { text } of findings)
      report.add('W071', place, text.replace(/^Disabling (.*?): /, '$1 would not be run: '), {
        value: command.argv[0]!,
        suggestion:
          'let the script and every directory above it belong to root and be writable by root alone, or name another script_user',
      });
  }
}

const isCommand = (value: unknown): value is Command =>
  typeof value === 'object' && value !== null && 'argv' in value && Array.isArray(value.argv);

/** This machine. */
export function nodeHost(): HostView {
  return {
    interfaces,
    routeNames: () => routeNames(nameFiles),
    files: new SystemFiles(),
    readSecret: readSecretFile,
  };
}

/** Names from sysfs, since interfaces without an address count, too. */
function interfaces(): readonly HostInterface[] {
  const addresses = networkInterfaces();
  let names: readonly string[];
  try {
    names = readdirSync('/sys/class/net').filter((name) => name !== 'bonding_masters');
  } catch {
    names = Object.keys(addresses);
  }
  return names.toSorted().map((name) => ({
    name,
    addresses: (addresses[name] ?? []).flatMap(({ address, cidr }) => {
      const ip = parseIp(address);
      const prefix = Number(cidr?.slice(cidr.indexOf('/') + 1));
      return ip === undefined || !Number.isInteger(prefix) ? [] : [{ address: ip, prefix }];
    }),
  }));
}
