// The demo inside its namespaces: sets the scene, plays the acts, ends. As the first process of its process namespace it
// takes everything with it when it exits; the network and mount namespaces follow.
import { mkdirSync } from 'node:fs';
import { run } from './network.ts';
import { play } from './play.ts';
import { Screen } from './screen.ts';

const DIRECTORY = '/run/vipkeeper-demo';

const screen = new Screen();

function leave(status: number, word?: string): never {
  if (word !== undefined) screen.line(word);
  process.exit(status);
}

process.on('SIGINT', () => leave(130, 'Ended; nothing is left behind.'));
process.on('SIGTERM', () => leave(143));
process.stdin.on('end', () => leave(1)).on('error', () => leave(1));
process.stdin.resume();

try {
  await run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  // Not allowed in some containers, and then not needed.
  await run('mount', '-t', 'proc', 'proc', '/proc').catch(() => {});
  mkdirSync(DIRECTORY, { recursive: true });
  await play(DIRECTORY, screen);
  leave(0);
} catch (error) {
  leave(1, error instanceof Error ? error.message : String(error));
}
