// Brings the Debian packages that the tests use: network tools, and the real keepalived to speak with.
// Plain JavaScript without dependencies, for any Node from 18. As root on Debian it installs what is missing; elsewhere
// it only says so, one line each. With CI=true a missing piece is a failure: a gate that skips its tests is none.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A command that the tests run, and the package that brings it. */
const COMMANDS = {
  ip: 'iproute2',
  nft: 'nftables',
  keepalived: 'keepalived',
  nginx: 'nginx-light',
  openssl: 'openssl',
  arping: 'iputils-arping',
  ping: 'iputils-ping',
  ps: 'procps',
  sysctl: 'procps',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  vrrpd: 'frr',
  bfdd: 'frr',
  'c++': 'g++',
};
// Daemons live in directories that are not in every PATH.
const PATH = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/lib/frr'];
const POLICY = '/usr/sbin/policy-rc.d';

function installed(command) {
  return PATH.some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const missing = () => Object.keys(COMMANDS).filter((command) => !installed(command));

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const done = spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return done.status === 0;
}

/** Installs without starting anything: a policy of 101 forbids maintainer scripts to start services. */
function install(packages) {
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return apt('update') && apt('install', '-y', '--no-install-recommends', ...packages);
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
}

if (missing().length > 0 && process.getuid?.() === 0 && installed('apt-get')) {
  const packages = [...new Set(missing().map((command) => COMMANDS[command]))];
  console.log(`setting up: Debian packages for the tests: ${packages.join(' ')}`);
  install(packages);
}
for (const command of missing())
  console.log(
    `missing for the tests: ${command} (Debian package ${COMMANDS[command]}): tests that need it are skipped`,
  );
if (missing().length > 0 && process.env.CI === 'true') process.exitCode = 1;
