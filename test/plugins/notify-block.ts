// A notifier as its user writes it: the text of its block goes through the loader, and the plugin gets what comes out, with
// the real services of the agent.
import assert from 'node:assert/strict';
import { builtInLanguage } from '../../core/app/built-in.ts';
import { notifyServices } from '../../core/app/notify-services.ts';
import { load } from '../../core/config/load.ts';
import type { NotifierConfig } from '../../core/config/model.ts';
import type { Notifier, NotifyResult, VipkeeperEvent } from '../../core/plugin/notifier.ts';
import { millis } from '../../core/units.ts';
import { notifierPlugins } from '../../plugins/index.ts';

/** What the loader makes of a notifier, and the codes and messages of what is wrong. */
export function readNotifier(block: string): {
  readonly config: NotifierConfig | undefined;
  readonly said: readonly string[];
} {
  const text = `notifier n {\n${block}\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 1\npriority 100\nvirtual_ipaddress {\n192.0.2.9/24\n}\n}\n`;
  const { configuration, diagnostics } = load({ file: 'f', text }, { hostName: 'h', language: builtInLanguage });
  const own = diagnostics.filter(({ place }) => place.line <= block.split('\n').length + 2);
  return {
    config: configuration?.notifiers?.[0],
    said: own.map(({ code, place, message }) => `${place.line} ${code} ${message}`),
  };
}

export const transition: VipkeeperEvent = {
  kind: 'vipkeeper-event',
  version: 1,
  id: '1700000000000-000000001',
  time: '2026-01-01T00:00:00.000Z',
  host: 'node1',
  routerId: 'r1',
  pid: 1,
  agentVersion: '1.2.3',
  type: 'transition',
  instance: 'VI_1',
  from: 'BACKUP',
  to: 'MASTER',
  reason: 'master-timeout',
  priority: 100,
};

/** A notifier of such a block. @throws Error when the plugin cannot be made */
export function notifierOf(
  plugin: string,
  lines: string,
  timeoutMs = 5_000,
): Omit<Notifier, 'notify'> & {
  readonly said: readonly string[];
  tell(events?: readonly VipkeeperEvent[], signal?: AbortSignal): Promise<NotifyResult>;
} {
  const { config, said: read } = readNotifier(`${plugin} {\n${lines}\n}`);
  assert.ok(config, read.join('\n'));
  const found = notifierPlugins.find(({ name }) => name === plugin);
  assert.ok(found);
  const said: string[] = [];
  const timeout = millis(timeoutMs);
  const programs = { user: 'root', group: undefined, strict: true };
  const plan = { name: 'n', plugin, options: config.options, settings: {}, timeout, programs };
  const log = (level: string, text: string): void => void said.push(`${level} ${text}`);
  found.validate?.(config.options as never, (option, message) => log('warning', `${option}: ${message}`));
  const notifier = found.create(config.options as never, {
    ...notifyServices(plan),
    name: 'n',
    settings: {},
    timeout,
    log,
  });
  return {
    said,
    tell: (events = [transition], signal = new AbortController().signal) => notifier.notify(events, signal),
    close: () => notifier.close?.(),
  };
}
