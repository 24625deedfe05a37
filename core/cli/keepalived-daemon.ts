// The way into the background: the program starts itself again, in a session of its own and without a terminal, and
// waits until that agent is ready or has failed. So the caller's exit code tells which (keepalived's tells nothing).
import { spawn } from 'node:child_process';

/** In the environment of the process in the background. */
const MARK = 'VIPKEEPER_BACKGROUND';

export function isInBackground(): boolean {
  return process.env[MARK] !== undefined;
}

/** Waits until the agent in the background is ready. @returns 0, or its exit code if it ended before */
export function startInBackground(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [MARK]: '1' },
  });
  return new Promise((resolve) => {
    child.once('message', () => {
      child.disconnect();
      child.unref();
      resolve(0);
    });
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', () => resolve(1));
  });
}

/** In the background: tells the starter that the agent is ready. Further calls do nothing. */
export function tellStarter(): void {
  if (process.send === undefined || !process.connected) return;
  process.send('ready', () => process.disconnect());
}
