// One of the demo's two machines: its service, its agent and their files.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Host, inside, toolEnvironment } from './network.ts';
import { type Balancer, checkScript, configuration, SERVICE_PORT } from './pair.ts';
import { siblingThread } from './recorder.ts';

const TYPESCRIPT = import.meta.url.endsWith('.ts');
const CLI = new URL(TYPESCRIPT ? '../main.ts' : '../main.js', import.meta.url).pathname;
const SERVICE = siblingThread('service').pathname;

export class Machine {
  readonly balancer: Balancer;
  readonly host: Host;
  readonly #directory: string;
  #agent: ChildProcess | undefined;
  #service: ChildProcess | undefined;

  constructor(balancer: Balancer, host: Host, directory: string) {
    this.balancer = balancer;
    this.host = host;
    this.#directory = join(directory, balancer.name);
    mkdirSync(this.#directory, { recursive: true });
    const script = this.#file('check_sample.sh');
    writeFileSync(script, checkScript(this.#file('sample.pid')), { mode: 0o755 });
    writeFileSync(this.#file('keepalived.conf'), configuration(balancer, script));
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }

  /** Starts the service; resolves when it serves. */
  async startService(): Promise<void> {
    const pidFile = this.#file('sample.pid');
    writeFileSync(pidFile, '');
    const written = watch(pidFile);
    this.#service = this.#spawn('service.log', SERVICE, 'serve', this.balancer.name, String(SERVICE_PORT), pidFile);
    while (readFileSync(pidFile, 'utf8').trim() === '') await once(written, 'change');
    written.close();
  }

  async killService(): Promise<void> {
    await kill(this.#service);
  }

  startAgent(): void {
    const runtime = this.#file('run');
    mkdirSync(runtime, { recursive: true });
    const argv = ['run', '-f', this.#file('keepalived.conf'), '--runtime-dir', runtime];
    const agent = this.#spawn('agent.log', CLI, ...argv);
    this.#agent = agent;
    agent.once('exit', () => {
      if (this.#agent === agent) this.#agent = undefined;
    });
  }

  async killAgent(): Promise<void> {
    await kill(this.#agent);
  }

  get agentRuns(): boolean {
    return this.#agent !== undefined;
  }

  /** The agent's last words. */
  log(lines: number): string {
    const file = this.#file('agent.log');
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '';
  }

  /** A program on this machine, in a process group of its own so that Ctrl-C does not reach it. */
  #spawn(log: string, program: string, ...args: readonly string[]): ChildProcess {
    const out = openSync(this.#file(log), 'a');
    const argv = inside(this.host.namespace, process.execPath, ...process.execArgv, program, ...args);
    return spawn('ip', argv, { stdio: ['ignore', out, out], detached: true, env: toolEnvironment() });
  }
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
