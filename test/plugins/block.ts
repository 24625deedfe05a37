// A check as its user writes it: the text of its block goes through the loader, and the plugin gets what comes out.
import assert from 'node:assert/strict';
import { builtInLanguage } from '../../core/app/built-in.ts';
import { checkPrograms } from '../../core/app/programs.ts';
import { load } from '../../core/config/load.ts';
import type { CheckHost, HealthCheck, ProbeResult } from '../../core/plugin/check.ts';
import type { Complain, PlainOptions } from '../../core/plugin/options.ts';
import { millis } from '../../core/units.ts';
import { checkPlugins } from '../../plugins/index.ts';

/** What the loader makes of a block: its options, and the codes and messages of what is wrong. */
export function read(
  plugin: string,
  lines: string,
): { readonly options: PlainOptions | undefined; readonly said: readonly string[] } {
  const text = `vrrp_check c {\n${plugin} {\n${lines}\n}\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 1\npriority 100\nvirtual_ipaddress {\n192.0.2.9/24\n}\n}\n`;
  const { configuration, diagnostics } = load({ file: 'f', text }, { hostName: 'h', language: builtInLanguage });
  const probe = configuration?.checks?.[0]?.probe;
  const options = probe?.type === 'plugin' ? probe.options : undefined;
  const complaints: string[] = [];
  const complain: Complain = (option, message) =>
    complaints.push(option === undefined ? message : `${option}: ${message}`);
  if (options) pluginOf(plugin).validate?.(options as never, complain);
  const own = diagnostics.filter(({ place }) => place.line <= lines.split('\n').length + 3);
  return { options, said: [...own.map(({ code, message }) => `${code} ${message}`), ...complaints] };
}

const pluginOf = (name: string) => {
  const plugin = checkPlugins.find((one) => one.name === name);
  assert.ok(plugin, `there is no plugin ${name}`);
  return plugin;
};

/** A check of such a block. @param timeoutMs how long each of its probes may take @param host besides the usual */
export function checkOf(
  plugin: string,
  lines: string,
  timeoutMs = 5_000,
  host: Partial<CheckHost> = {},
): HealthCheck & { look(): Promise<ProbeResult> } {
  const { options, said } = read(plugin, lines);
  assert.ok(options, said.join('\n'));
  const programs = checkPrograms({ user: 'root', group: undefined, strict: true });
  const usual: CheckHost = { name: 'c', settings: {}, timeout: millis(timeoutMs), programs, log: () => {} };
  const check = pluginOf(plugin).create(options as never, { ...usual, ...host });
  return {
    ...check,
    probe: (signal) => check.probe(signal),
    /** One probe, aborted at its timeout as the agent does. A rejection is the failure that it would be. */
    async look() {
      const signal = AbortSignal.timeout(timeoutMs);
      const late = new Promise<ProbeResult>((resolve) =>
        signal.addEventListener('abort', () => resolve({ ok: false, why: 'timed out' })),
      );
      const probe = check.probe(signal).catch((error: Error): ProbeResult => ({ ok: false, why: error.message }));
      return await Promise.race([probe, late]);
    },
  };
}
