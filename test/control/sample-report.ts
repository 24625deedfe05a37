// The sources of a status report with one virtual router of each kind.
import type { StatusSources } from '../../core/control/status-report.ts';
import type { BfdSnapshot, InstanceSnapshot } from '../../core/engine/messages.ts';
import type { ScriptStatus } from '../../core/health/script-status.ts';
import { ip } from '../../core/net/address.ts';
import { millis, priority, seconds, vrid } from '../../core/units.ts';
import { group, instance } from '../agent/sample-config.ts';

export const NOW = Date.UTC(2026, 10, 21, 10, 23, 42);
const since = NOW - 192_000;

function snapshot(name: string, changes: Partial<InstanceSnapshot>): InstanceSnapshot {
  return {
    name,
    state: 'BACKUP',
    since,
    basePriority: 100,
    effectivePriority: 100,
    faults: [],
    lastReason: 'startup',
    lastDetail: '',
    master: undefined,
    peers: [],
    addresses: [],
    downInterval: millis(3_609),
    skew: millis(609),
    nextDeadline: undefined,
    statistics: {
      advertisementsSent: 0,
      advertisementsReceived: 0,
      becomeMaster: 0,
      releaseMaster: 0,
      priorityZeroSent: 0,
      priorityZeroReceived: 0,
      announcementsSent: 0,
      addressRepairs: 0,
      addressConflicts: 0,
      timerLateMax: millis(0),
      drops: {},
    },
    ...changes,
  };
}

function checked(name: string, changes: Partial<ScriptStatus>): ScriptStatus {
  return {
    name,
    condition: 'ok',
    detail: '',
    since,
    command: [`/bin/${name}`],
    lastRun: { time: NOW - 400, ok: true, outcome: '', output: '', took: 12 },
    runs: 10,
    failures: 0,
    skipped: 0,
    usedBy: [{ instance: 'VI_1', weight: -10, reverse: false }],
    ...changes,
  };
}

const peer = { source: ip('10.0.0.2'), priority: priority(90), age: millis(400) };

export function sources(): StatusSources {
  return {
    now: NOW,
    process: {
      pid: 4711,
      version: '0.1.0',
      started: NOW - 86_400_000 * 3 - 3_600_000 * 4,
      configFile: '/etc/keepalived/keepalived.conf',
      configLoaded: NOW - 86_400_000,
      reloadError: undefined,
      routerId: 'lb01',
    },
    config: {
      instances: [
        instance('VI_1', { vrid: vrid(51) }),
        instance('VI_2', { vrid: vrid(52), interface: 'eth1', family: 6, version: 3 }),
      ],
      groups: [group('G', ['VI_2'])],
    },
    snapshots: [
      snapshot('VI_1', {
        state: 'MASTER',
        basePriority: 101,
        effectivePriority: 91,
        lastReason: 'master-timeout',
        lastDetail: 'nothing heard from 10.0.0.2 for 3.6 s',
        peers: [peer],
        addresses: [
          { address: ip('10.0.0.99'), prefix: 24, device: 'eth0', held: true },
          { address: ip('10.0.0.98'), prefix: 32, device: 'eth0', held: false },
        ],
      }),
      snapshot('VI_2', {
        state: 'FAULT',
        faults: ['script chk_db failed: exit code 1'],
        lastReason: 'fault',
        master: { ...peer, source: ip('fe80::2'), interval: seconds(1) },
        peers: [{ ...peer, source: ip('fe80::2') }],
        addresses: [{ address: ip('2001:db8::99'), prefix: 64, device: 'eth1', held: true }],
      }),
    ],
    scripts: [
      checked('chk_app', {
        condition: 'failed',
        detail: 'exit code 1: it died',
        lastRun: { time: NOW - 400, ok: false, outcome: 'exit code 1', output: 'sample.py died', took: 31 },
      }),
      checked('chk_net', {
        usedBy: [{ instance: 'VI_1', weight: 20, reverse: true }],
        condition: 'waiting',
        lastRun: undefined,
      }),
      checked('chk_gone', { condition: 'disabled', detail: '/bin/chk_gone: not found', lastRun: undefined }),
      checked('chk_db', { usedBy: [{ instance: 'VI_2', weight: 0, reverse: false }] }),
    ],
  };
}

const bfd: BfdSnapshot = {
  name: 'gw',
  neighbor: ip('10.0.0.254'),
  multihop: false,
  state: 'Down',
  since: NOW - 3_000,
  diagnostic: 'control detection time expired',
  remoteState: 'Down',
  remoteDiagnostic: 'no diagnostic',
  discriminator: 7,
  remoteDiscriminator: 0,
  transmitInterval: seconds(1),
  detectionTime: millis(50),
  sent: 120,
  received: 100,
  lastHeard: seconds(3),
  wentUp: 1,
  wentDown: 1,
  drops: { ttl: 4 },
  trouble: '',
  counts: { up: false, disabled: false, detail: '10.0.0.254: control detection time expired' },
};

/** The same with a session that VI_1 tracks, and that is down. */
export function withBfd(): StatusSources {
  const plainSources = sources();
  const [first, ...others] = plainSources.config.instances;
  const trackBfds = [{ name: 'gw', weight: -20, reverse: false }];
  return {
    ...plainSources,
    config: { ...plainSources.config, instances: [{ ...first!, trackBfds }, ...others] },
    bfds: [bfd],
  };
}
