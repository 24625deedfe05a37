// Peers by name, with live agents and a real DNS server: an address that changes, a DNS that dies, a start without one.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { inside, run, toolEnvironment } from '../../core/cli/demo/network.ts';
import { now } from '../../core/cli/demo/recorder.ts';
import type { StatusReport } from '../../core/control/status-report.ts';
import { conf } from '../support/conf.ts';
import type { Zone } from '../support/dns-server.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';
import { steps } from '../support/steps.ts';

const VIP = '192.0.2.100';
const DNS = '192.0.2.250';
const SERVER = join(import.meta.dirname, '..', 'support', 'dns-server.ts');

/** The DNS server on the client's machine, which all routers of the lab ask. */
class Dns implements AsyncDisposable {
  readonly #lab: Lab;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #directories: string[] = [];

  private constructor(lab: Lab) {
    this.#lab = lab;
    const argv = inside(lab.host('client').namespace, process.execPath, SERVER, DNS);
    this.#child = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'], env: toolEnvironment() });
    this.#lines = createInterface(this.#child.stdout!)[Symbol.asyncIterator]();
  }

  static async start(lab: Lab, zone: Zone): Promise<Dns> {
    const dns = new Dns(lab);
    assert.equal((await dns.#lines.next()).value, 'listening');
    await dns.set(zone);
    return dns;
  }

  async set(zone: Zone): Promise<void> {
    this.#child.stdin!.write(`${JSON.stringify(zone)}\n`);
    assert.equal((await this.#lines.next()).value, 'zone');
  }

  /** The routers ask this server from now on: `ip netns exec` shows them this directory as /etc. */
  serve(...routers: readonly string[]): void {
    for (const router of routers) {
      const directory = `/etc/netns/${this.#lab.host(router).namespace}`;
      mkdirSync(directory, { recursive: true });
      this.#directories.push(directory);
      writeFileSync(join(directory, 'resolv.conf'), `nameserver ${DNS}\noptions timeout:1 attempts:1\n`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode !== null || !this.#child.kill('SIGKILL')) return;
    await ended;
  }
}

const text = (router: string, priority: number, source: string, peers: readonly string[]): string =>
  conf({
    routerId: router,
    instances: [{ version: 3, advertInt: 0.1, priority, vips: [`${VIP}/24`], unicast: { source, peers } }],
  });

describe('peers by name', { concurrency: 2, ...needs('root', 'ip', 'nft') }, () => {
  test('they are found, followed when they move, and kept when DNS dies', async (t) => {
    await using lab = await Lab.create({ name: 'names' });
    const { recorder } = lab;
    const both = { A: ['192.0.2.1', '192.0.2.2'] };
    await using dns = await Dns.start(lab, { names: { 'lb.example.com': both } });
    dns.serve('r1', 'r2');
    const step = steps(t, lab);
    const one = lab.daemon('vipkeeper', 'r1', text('r1', 150, '192.0.2.1', ['lb.example.com']));
    const two = lab.daemon('vipkeeper', 'r2', text('r2', 100, '192.0.2.2', ['_vrrp._udp.example.com']));

    await step('a name of all machines means the others', async () => {
      await one.up();
      await one.says(/peers instance=VI_1 peers=192\.0\.2\.2$/m, 10_000);
      await lab.master('r1', VIP);
    });

    await step('a service that nobody knows keeps the second machine waiting, and it says for what', async () => {
      await two.up();
      await two.says(/warning name name=_vrrp\._udp\.example\.com .*there is no earlier answer/, 20_000);
      const { instances } = (await two.status()) as StatusReport;
      assert.equal(instances[0]!.state, 'FAULT');
      assert.match(instances[0]!.faults.join(), /no peer is known yet \(_vrrp\._udp\.example\.com: ENOTFOUND\)/);
      assert.equal(instances[0]!.peerNames[0]!.answered, null);
      assert.equal(recorder.alone('r1', VIP), true);
    });

    await step('it starts as soon as the service has a host', async () => {
      const zone = { 'lb.example.com': both, '_vrrp._udp.example.com': { SRV: ['a.example.com'] } };
      await dns.set({ names: { ...zone, 'a.example.com': { A: ['192.0.2.1'] } } });
      await two.says(/transition instance=VI_1 .*to=BACKUP/, 60_000);
      assert.equal(recorder.alone('r1', VIP), true);
    });

    await step('a peer that gets another address is followed without a transition', async () => {
      const from = [one.log.length, two.log.length] as const;
      await run('ip', '-n', lab.host('r2').namespace, 'address', 'add', '192.0.2.22/24', 'dev', 'eth0');
      const zone = { '_vrrp._udp.example.com': { SRV: ['a.example.com'] }, 'a.example.com': { A: ['192.0.2.1'] } };
      await dns.set({ names: { ...zone, 'lb.example.com': { A: ['192.0.2.22'] } } });
      await one.says(/peers instance=VI_1 peers=192\.0\.2\.22$/m, 20_000, from[0]);
      await lab.adverts('r1', 10);
      const { instances } = (await one.status()) as StatusReport;
      assert.deepEqual(instances[0]!.peerNames[0]!.addresses, ['192.0.2.22']);
      assert.doesNotMatch(one.log.slice(from[0]), /transition/);
      await dns.set({ names: { ...zone, 'lb.example.com': both } });
      await one.says(/peers instance=VI_1 peers=192\.0\.2\.2$/m, 20_000, from[0]);
      await lab.adverts('r1', 10);
      assert.doesNotMatch(one.log.slice(from[0]), /transition/);
    });

    await step('when DNS dies nothing happens but a line in the log', async () => {
      const from = [one.log.length, two.log.length] as const;
      await dns.set({ mode: 'silent' });
      await one.says(/warning name name=lb\.example\.com .*the last answer stays/, 30_000, from[0]);
      await lab.adverts('r1', 30);
      assert.doesNotMatch(one.log.slice(from[0]), /transition|peers/);
      assert.doesNotMatch(two.log.slice(from[1]), /transition|peers/);
      assert.equal(recorder.alone('r1', VIP), true);
    });

    await step('and the address still moves when the master goes', async () => {
      const began = now();
      await one.stop();
      await lab.master('r2', VIP);
      assert.ok(recorder.first('advert', began, { host: 'r1', priority: 0 }), 'it resigned to its peer');
    });

    await step('a start without DNS waits, and goes on when DNS is back', async () => {
      const from = one.log.length;
      await one.up();
      await one.says(/warning name name=lb\.example\.com .*there is no earlier answer/, 40_000, from);
      const { instances } = (await one.status()) as StatusReport;
      assert.equal(instances[0]!.state, 'FAULT');
      assert.equal(recorder.alone('r2', VIP), true);
      await dns.set({ mode: 'failing' });
      await lab.adverts('r2', 10);
      assert.equal(recorder.alone('r2', VIP), true);
      await dns.set({ names: { 'lb.example.com': both } });
      await lab.master('r1', VIP, 60_000);
    });
  });
});
