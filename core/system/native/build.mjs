// Compiles the addon: one compiler command, no generator. Plain JavaScript, because it runs before anything is set
// up, under whatever Node the machine has (18 or newer).
//   node core/system/native/build.mjs             builds
//   node core/system/native/build.mjs --if-stale  builds only when the source is newer than the binary
// CC names another compiler.
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..', '..');
const source = join(here, 'vipkeeper.c');
const name = `vipkeeper-linux-${process.arch}.node`;
const output = join(here, name);

/** @returns {never} */
function fail(message) {
  console.error(`native addon: ${message}`);
  process.exit(1);
}

function isFresh() {
  if (!existsSync(output)) return false;
  const built = statSync(output).mtimeMs;
  return [source, fileURLToPath(import.meta.url)].every((file) => statSync(file).mtimeMs < built);
}

function headers() {
  const places = [
    join(root, 'node_modules', 'node-api-headers', 'include'),
    join(dirname(process.execPath), '..', 'include', 'node'),
  ];
  const found = places.find((place) => existsSync(join(place, 'node_api.h')));
  return found ?? fail('node_api.h not found; fix: npm ci (it installs node-api-headers)');
}

function compiler() {
  const candidates = process.env.CC ? [process.env.CC] : ['cc', 'gcc', 'clang'];
  const found = candidates.find((command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0);
  return (
    found ??
    fail(
      `no C compiler (tried ${candidates.join(', ')}); fix: apt-get install gcc libc6-dev` +
        ' (Alpine: apk add gcc musl-dev linux-headers; Fedora: dnf install gcc glibc-devel)',
    )
  );
}

function build() {
  const fresh = `${output}.${process.pid}.tmp`;
  const flags = [
    ...['-std=gnu11', '-O2', '-Wall', '-Wextra', '-fPIC', '-fvisibility=hidden', '-DNAPI_VERSION=8'],
    // no library at all: the binary must load under glibc and musl alike
    ...['-shared', '-nostdlib', '-ffreestanding', '-fno-stack-protector'],
    ...(process.arch === 'arm64' ? ['-mno-outline-atomics'] : []),
    // nodelete: handles are process-wide, so the table outlives the worker that loaded it first
    ...['-Wl,-s', '-Wl,-z,now', '-Wl,-z,relro', '-Wl,-z,noexecstack', '-Wl,-z,nodelete', '-Wl,--build-id=none'],
  ];
  const command = compiler();
  const run = spawnSync(command, [...flags, '-I', headers(), '-o', fresh, source], { stdio: 'inherit' });
  if (run.status !== 0) {
    rmSync(fresh, { force: true });
    fail(`${command} failed; if a system header is missing: apt-get install gcc libc6-dev`);
  }
  // in one step, because another process may be loading the old one
  renameSync(fresh, output);
}

if (process.platform !== 'linux') fail(`needs Linux, this is ${process.platform}`);
const lazy = process.argv.includes('--if-stale');
if (!lazy || !isFresh()) build();
