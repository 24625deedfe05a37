// The demo's acts: what is done to the two machines, what the audience is told, and what it cost the client.

import { fileURLToPath } from 'node:url';
import { entryFile } from '../../system/entry-file.ts';
import { Machine } from './machine.ts';
import { inside, Network, run } from './network.ts';
import { LB1, LB2, SERVICE_PORT, VIP } from './pair.ts';
import { Prober } from './prober.ts';
import { now, Recorder, type Sighting } from './recorder.ts';
import type { Screen } from './screen.ts';

/** Longer than any takeover of this pair: three adverts, the skew, the script's interval, and the start of an agent. */
const PATIENCE_MS = 12_000;

interface Act {
  readonly title: string;
  readonly tone: 'good' | 'bad';
  readonly does: () => Promise<void> | void;
  /** Who shall hold the VIP alone then. */
  readonly winner: 'LB1' | 'LB2';
  readonly because: string;
}

export async function play(directory: string, screen: Screen): Promise<void> {
  const network = await Network.create('demo', [
    { name: 'LB1', address: `${LB1.address}/24` },
    { name: 'LB2', address: `${LB2.address}/24` },
    { name: 'client', address: '192.168.10.20/24' },
  ]);
  const recorder = await Recorder.start(network, [network.host('LB1'), network.host('LB2')]);
  const lb1 = new Machine(LB1, network.host('LB1'), directory);
  const lb2 = new Machine(LB2, network.host('LB2'), directory);
  introduce(screen);
  await Promise.all([lb1.startService(), lb2.startService()]);
  const prober = await Prober.start(network.host('client'), VIP, recorder);
  screen.begin();
  narrate(recorder, screen);

  const rows: string[][] = [];
  for (const [i, act] of acts(lb1, lb2).entries()) {
    const began = now();
    screen.event(act.title, act.tone === 'bad' ? 'bad' : 'act');
    await act.does();
    await follow(recorder, act, [lb1, lb2]);
    const took = now() - began;
    // One more advert of the new master, so that the act's outage counts to a steady state.
    await recorder.wait(`an advert of ${act.winner}`, () => advertSince(recorder, act.winner, began + took), 5_000);
    const outage = await prober.outage(began);
    const answer = await ask(network);
    screen.event(act.because, 'aside');
    screen.event(`the client asks http://${VIP}:${SERVICE_PORT} and is answered by ${answer}`, 'aside');
    const lost = i === 0 ? 'none before' : `${Math.round(outage.longest)} ms`;
    rows.push([act.title, act.winner, `${(took / 1000).toFixed(1)} s`, lost]);
  }
  screen.line();
  screen.table(['what happened', 'the VIP was then at', 'settled after', 'client without an answer'], rows);
  screen.line();
  screen.line(
    `${screen.seconds().toFixed(0)} seconds, one ping a millisecond; everything is taken down again.`,
    'aside',
  );
}

const acts = (lb1: Machine, lb2: Machine): readonly Act[] => [
  {
    title: 'both agents start',
    tone: 'good',
    does: async () => {
      await lb1.startAgent();
      await lb2.startAgent();
    },
    winner: 'LB1',
    because: 'LB1 has priority 101; LB2 has 90, and 10 more while its service lives',
  },
  {
    title: 'the service on LB1 dies',
    tone: 'bad',
    does: () => lb1.killService(),
    winner: 'LB2',
    because: 'the script failed, 101 - 10 is less than 90 + 10',
  },
  {
    title: 'the service on LB1 is back',
    tone: 'good',
    does: () => lb1.startService(),
    winner: 'LB1',
    because: '101 again: the better one takes it back',
  },
  {
    title: 'the agent on LB1 is killed (SIGKILL)',
    tone: 'bad',
    does: () => lb1.killAgent(),
    winner: 'LB2',
    because: 'no adverts for three intervals; the kernel of LB1 let the address go by itself',
  },
  {
    title: 'the agent on LB1 is started again',
    tone: 'good',
    does: () => lb1.startAgent(),
    winner: 'LB1',
    because: 'the old order again',
  },
];

function introduce(screen: Screen): void {
  screen.line(
    'vipkeeper demo: two load balancers, one virtual IP, and a client that pings it every millisecond.',
    'act',
  );
  screen.line('It all happens in namespaces made for it; nothing of this machine is touched.');
  screen.line();
  screen.line(`  LB1 ${LB1.address}   priority 101, 10 less while its service is dead`);
  screen.line(`  LB2 ${LB2.address}   priority 90, 10 more while its service lives`);
  screen.line(`  VIP ${VIP}   on one bridge with the client 192.168.10.20`);
  screen.line();
  screen.line('Their keepalived.conf is one from a tutorial: VRRP version 2, unicast, one advert a second;');
  screen.line('only the script runs every second instead of every other.');
  screen.line();
}

/** Tells what the network shows, as it happens. */
function narrate(recorder: Recorder, screen: Screen): void {
  const priorities = new Map<string, number>();
  let told = recorder.sightings.length;
  const tell = (sighting: Sighting) => {
    if (sighting.type === 'holding' && sighting.ip === VIP)
      screen.event(`${sighting.host} ${sighting.held ? 'takes' : 'gives up'} ${VIP}`, 'good', sighting.t);
    if (sighting.type === 'advert' && priorities.get(sighting.host) !== sighting.priority) {
      priorities.set(sighting.host, sighting.priority);
      const meaning = sighting.priority === 0 ? ': it is leaving' : '';
      screen.event(`${sighting.host} advertises priority ${sighting.priority}${meaning}`, 'plain', sighting.t);
    }
  };
  recorder.onChange(() => {
    while (told < recorder.sightings.length) tell(recorder.sightings[told++]!);
  });
}

/** Waits for the winner of an act; an agent that ended by itself is told with its last words. */
async function follow(recorder: Recorder, act: Act, machines: readonly Machine[]): Promise<void> {
  const expected = machines.filter((machine) => machine.agentRuns);
  try {
    await recorder.wait(`${act.winner} alone with ${VIP}`, () => recorder.alone(act.winner, VIP), PATIENCE_MS);
  } catch {
    const words = expected.map((m) => `${m.balancer.name}'s agent ${m.agentRuns ? 'runs' : 'ended'}:\n${m.log(15)}`);
    throw new Error(`${act.winner} did not get ${VIP} within ${PATIENCE_MS / 1000} s.\n${words.join('\n')}`);
  }
}

const advertSince = (recorder: Recorder, host: string, since: number): boolean =>
  recorder.first('advert', since, { host }) !== undefined;

async function ask(network: Network): Promise<string> {
  const { namespace } = network.host('client');
  const program = fileURLToPath(entryFile(import.meta.url, './service'));
  const argv = [process.execPath, ...process.execArgv, program, 'ask', VIP, String(SERVICE_PORT)];
  return (await run('ip', ...inside(namespace, ...argv)).catch(() => 'nobody')).trim();
}
