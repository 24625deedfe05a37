// Compiles the optional package raw-socket for the Node of this checkout: one compiler command, no generator, no
// download. Plain JavaScript for any Node from 18. Nothing depends on it: without the package or a C++ compiler it says
// so in one line, and all is well; the portable transport is then not to be had.
//   node core/system/portable/build.mjs [--if-stale]
// CXX names another compiler.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);
const modules = join(dirname(here), '..', '..', '..', 'node_modules');
const source = join(modules, 'raw-socket', 'src', 'raw.cc');
const output = join(modules, 'raw-socket', 'build', 'Release', 'raw.node');

function headers() {
  const places = [
    join(modules, `node-linux-${process.arch}`, 'include', 'node'),
    join(dirname(process.execPath), '..', 'include', 'node'),
  ];
  return places.find((place) => existsSync(join(place, 'node.h')));
}

function compiler() {
  const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  return candidates.find((command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0);
}

/** What is missing; undefined: built, or fresh. */
function build() {
  if (!existsSync(source)) return 'the package is not installed';
  const include = headers();
  const nan = join(modules, 'nan');
  if (include === undefined || !existsSync(nan)) return 'the headers of Node or nan are missing';
  const lazy = process.argv.includes('--if-stale');
  const inputs = [source, here, join(include, 'node_version.h')];
  if (lazy && existsSync(output) && inputs.every((file) => statSync(file).mtimeMs < statSync(output).mtimeMs)) return;
  const command = compiler();
  if (command === undefined) return 'there is no C++ compiler (Debian: apt-get install g++)';
  mkdirSync(dirname(output), { recursive: true });
  const fresh = `${output}.${process.pid}.tmp`;
  const names = ['-DNODE_GYP_MODULE_NAME=raw', '-DBUILDING_NODE_EXTENSION'];
  const flags = ['-O2', '-std=c++20', '-fPIC', '-shared', '-w', ...names, '-I', include, '-I', nan];
  const done = spawnSync(command, [...flags, '-o', fresh, source], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (done.status !== 0) {
    rmSync(fresh, { force: true });
    return `${command} failed`;
  }
  renameSync(fresh, output);
}

const missing = build();
if (missing !== undefined) console.log(`raw-socket (the portable transport, optional) was not built: ${missing}`);
