// One of the demo's two machines: its service, its agent and their files.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entryFile } from '../../system/entry-file.ts';
import { type Host, inside, toolEnvironment } from './network.ts';
import { type Balancer, checkScript, configuration, SERVICE_PORT } from './pair.ts';

const CLI = fileURLToPath(entryFile(import.meta.url, '../main'));
/** A process that is not at work after this time never will be. */
const START_MS = 10_000;
const SERVICE = fileURLToPath(entryFile(import.meta.url, './service'));

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
    const serves = () => readFileSync(pidFile, 'utf8').trim() !== '';
    this.#service = await this.#awaited(pidFile, serves, () =>
      this.#spawn('service.log', SERVICE, 'serve', this.balancer.name, String(SERVICE_PORT), pidFile),
    );
  }

  async killService(): Promise<void> {
    await kill(this.#service);
  }

  /** Starts the agent; resolves when it is at work. */
  async startAgent(): Promise<void> {
    const runtime = this.#file('run');
    rmSync(runtime, { recursive: true, force: true });
    mkdirSync(runtime);
    const argv = ['run', '-f', this.#file('keepalived.conf'), '--runtime-dir', runtime];
    const atWork = () => existsSync(join(runtime, 'control.sock'));
    const agent = await this.#awaited(runtime, atWork, () => this.#spawn('agent.log', CLI, ...argv));
    this.#agent = agent;
    agent.once('exit', () => {
      if (this.#agent === agent) this.#agent = undefined;
    });
  }

  /** Starts a process and waits until a change of `path` shows that it is at work. @throws Error when it ends before */
  async #awaited(path: string, atWork: () => boolean, start: () => ChildProcess): Promise<ChildProcess> {
    const changes = watch(path);
    const signal = AbortSignal.timeout(START_MS);
    const child = start();
    child.once('exit', () => changes.emit('change'));
    try {
      while (!atWork()) {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
        await once(changes, 'change', { signal });
      }
      return child;
    } catch (cause) {
      const why = cause instanceof Error && !signal.aborted ? cause.message : `not within ${START_MS / 1000} s`;
      throw new Error(`${child.spawnargs.join(' ')} did not start: ${why}\n${this.log(15)}`, { cause });
    } finally {
      changes.close();
    }
  }

  async killAgent(): Promise<void> {
    await kill(this.#agent);
  }

  get agentRuns(): boolean {
    return this.#agent !== undefined;
  }

  /** The last words of the agent and the service. */
  log(lines: number): string {
    return ['agent.log', 'service.log']
      .map((name) => this.#file(name))
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n'))
      .join('\n')
      .trim();
  }

  /** A program on this machine, in a process group of its own so that Ctrl-C does not reach it. */
  #spawn(log: string, program: string, ...args: readonly string[]): ChildProcess {
    const out = openSync(this.#file(log), 'a');
    const argv = inside(this.host.namespace, process.execPath, ...process.execArgv, program, ...args);
    const child = spawn('ip', argv, { stdio: ['ignore', out, out], detached: true, env: toolEnvironment() });
    closeSync(out);
    return child;
  }
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
