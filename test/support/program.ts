// A program in a host of a lab, ended with the test: a server to check, a verb of the command line.
import { type ChildProcess, spawn } from 'node:child_process';
import { inside, toolEnvironment } from '../../core/cli/demo/network.ts';
import type { Lab } from './netns.ts';

/** A program in a host of the lab, ended with the test. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out = '';
  error = '';

  constructor(lab: Lab, host: string, argv: readonly string[], env: NodeJS.ProcessEnv = toolEnvironment()) {
    const words = inside(lab.host(host).namespace, ...argv);
    this.child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.error += text;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
