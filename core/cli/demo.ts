// `vipkeeper demo`: two agents, a client and a virtual IP in namespaces of their own, and what becomes of them in half a
// minute of trouble. Needs no root where user namespaces are allowed; touches nothing of the machine in either case.
// This side only builds the stage; demo/stage.ts plays on it.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { entryFile } from '../system/entry-file.ts';
import { toolEnvironment } from './demo/network.ts';

/** What must work in new namespaces: the mounts and links that the demo makes. */
const REHEARSAL = 'mount -t tmpfs tmpfs /run && ip netns add rehearsal && ip link add rehearsal type bridge';

/** Runs the demo; resolves to the exit status. */
export async function demo(): Promise<number> {
  const root = process.getuid?.() === 0;
  const unshare = [
    ...(root ? [] : ['--user', '--map-root-user']),
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
  ];
  const obstacle = rehearse(unshare);
  if (obstacle !== undefined) {
    console.error(obstacle);
    return 1;
  }
  const stage = [process.execPath, ...process.execArgv, fileURLToPath(entryFile(import.meta.url, './demo/stage'))];
  // The stage ends when its standard input does, so it cannot outlive us.
  const child = spawn('unshare', [...unshare, '--', ...stage], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: toolEnvironment(),
  });
  // Ctrl-C goes to every process of the terminal; the stage says goodbye, we wait for it.
  const wait = () => {};
  const end = () => child.kill('SIGKILL');
  process.on('SIGINT', wait).on('SIGTERM', end).on('SIGHUP', end);
  return await new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`vipkeeper demo: cannot run unshare: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', end).off('SIGHUP', end);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** Tries the stage out; returns in words what forbids it. */
function rehearse(unshare: readonly string[]): string | undefined {
  const env = toolEnvironment();
  for (const tool of ['unshare', 'ip'])
    if (spawnSync(tool, ['-V'], { env, stdio: 'ignore' }).error)
      return `vipkeeper demo needs the command ${tool} (Debian: ${tool === 'ip' ? 'iproute2' : 'util-linux'}).`;
  const tried = spawnSync('unshare', [...unshare, '--', 'sh', '-c', REHEARSAL], { env, encoding: 'utf8' });
  if (tried.status === 0) return undefined;
  const why = tried.stderr.trim().split('\n')[0] ?? 'unshare failed';
  if (process.getuid?.() === 0)
    return `vipkeeper demo: this machine allows no new network namespaces, not even to root:\n  ${why}`;
  return [
    'vipkeeper demo: this machine forbids user namespaces to ordinary users:',
    `  ${why}`,
    'Run it as root; it works in namespaces of its own then, too, and touches nothing of the machine:',
    '  sudo npm start          (installed: sudo vipkeeper demo)',
  ].join('\n');
}
