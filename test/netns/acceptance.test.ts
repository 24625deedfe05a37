// Scenarios that people met with keepalived and asked for: numbers that do not match, a web server on an address that is
// elsewhere, a script that stops the agent, unsafe scripts, nopreempt on a MASTER, life under systemd.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inside, run, toolEnvironment } from '../../core/cli/demo/network.ts';
import { now } from '../../core/cli/demo/recorder.ts';
import type { StatusReport } from '../../core/control/status-report.ts';
import * as linux from '../../core/system/linux.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { unixSockaddr } from '../../core/system/sockaddr.ts';
import { AGENT } from '../support/daemons.ts';
import { command, needs } from '../support/needs.ts';
import { Program } from '../support/program.ts';
import { quick, story, until, VIP } from '../support/story.ts';

describe('acceptance', { concurrency: 3, ...needs('root', 'ip', 'nginx') }, () => {
  test('A12: two halves with different VRIDs both hold the address, and both say why', () =>
    story('vrids', async (lab) => {
      const { recorder } = lab;
      const one = await lab.daemon('vipkeeper', 'r1', quick('r1', { priority: 150, vrid: 51 })).up();
      const other = await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100, vrid: 52 })).up();
      await recorder.wait('both', () => recorder.holds('r1', VIP) && recorder.holds('r2', VIP), 10_000);
      await one.says(/warning .*192\.0\.2\.2 advertises 192\.0\.2\.100 with virtual_router_id 52/, 5_000);
      await other.says(/warning .*192\.0\.2\.1 advertises 192\.0\.2\.100 with virtual_router_id 51/, 5_000);
    }));

  test('A16: nginx on the address: not on the backup, but with ip_nonlocal_bind on both, before and after failover', () =>
    story('nginx', async (lab) => {
      const nginx = (router: string) => {
        const server = (name: string) =>
          `server { listen ${VIP}:80; server_name ${name}; location / { return 200 "${router} ${name}"; } }`;
        const file = join(lab.directory, `${router}.nginx`);
        const http = `http { access_log off; ${server('www.example.com')} ${server('bbs.example.com')} }`;
        const head = `daemon off; master_process off; pid ${file}.pid; events {}`;
        writeFileSync(file, `${head}\n${http}\n`);
        return new Program(lab, router, [command('nginx')!, '-e', 'stderr', '-c', file]);
      };
      const ask = (name: string): Promise<string> => {
        const get = `require('http').get({ host: '${VIP}', headers: { host: '${name}' }, timeout: 1000 }, (r) => r.pipe(process.stdout)).on('error', () => {})`;
        return run('ip', ...inside(lab.host('client').namespace, process.execPath, '-e', get));
      };
      const master = await lab.daemon('vipkeeper', 'r1', quick('r1', { priority: 150 })).up();
      await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100 })).up();
      await lab.master('r1', VIP);
      await using onMaster = nginx('r1');
      {
        await using onBackup = nginx('r2');
        assert.equal(await onBackup.ended, 1);
        assert.match(onBackup.error, /bind\(\) to 192\.0\.2\.100:80 failed \(99/);
      }
      await run('ip', ...inside(lab.host('r2').namespace, 'sysctl', '-qw', 'net.ipv4.ip_nonlocal_bind=1'));
      await using onBackup = nginx('r2');
      for (const site of ['www.example.com', 'bbs.example.com'])
        await until(`${site} on r1`, async () => (await ask(site)) === `r1 ${site}`);
      assert.equal(onBackup.child.exitCode, null, onBackup.error);
      await master.stop();
      await lab.master('r2', VIP);
      for (const site of ['www.example.com', 'bbs.example.com'])
        await until(`${site} on r2`, async () => (await ask(site)) === `r2 ${site}`);
      assert.equal(onMaster.child.exitCode, null, onMaster.error);
    }));

  test('A17: a check that stops the agent makes it hand over, and it does not come back by itself', () =>
    story('suicide', async (lab) => {
      const { recorder } = lab;
      const web = join(lab.directory, 'web');
      writeFileSync(web, '');
      const daemon = lab.daemon('vipkeeper', 'r1', '');
      const check = lab.script(
        'check_web.sh',
        `#!/bin/sh\n[ -e ${web} ] || kill -TERM $(cat ${daemon.directory}/vipkeeper.pid)\n`,
      );
      const scripts = [{ name: 'check_web', command: check, interval: 1 }];
      daemon.configure(quick('r1', { priority: 150, trackScripts: ['check_web'] }, { scripts }));
      await daemon.up();
      await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100 })).up();
      await lab.master('r1', VIP);
      const began = now();
      rmSync(web);
      assert.deepEqual(await daemon.ended, { code: 0, signal: null });
      await lab.master('r2', VIP);
      assert.ok(recorder.first('advert', began, { host: 'r1', priority: 0 }), 'it resigned');
      writeFileSync(web, '');
      await lab.adverts('r2', 20);
      assert.equal(recorder.alone('r2', VIP), true);
    }));

  test('A20: with enable_script_security a script of root runs, and one that others can change does not', () =>
    story('security', async (lab) => {
      const { recorder } = lab;
      const good = lab.script('good.sh', '#!/bin/sh\nexit 0\n');
      mkdirSync(join(lab.directory, 'open'));
      chmodSync(join(lab.directory, 'open'), 0o775);
      const bad = lab.script('open/bad.sh', '#!/bin/sh\nexit 0\n');
      const scripts = [
        { name: 'good', command: good, weight: 10 },
        { name: 'bad', command: bad, weight: 50 },
      ];
      const text = (globals: readonly string[]) =>
        quick('r1', { priority: 100, trackScripts: ['good', 'bad'] }, { scripts, globals });
      const daemon = await lab.daemon('vipkeeper', 'r1', text(['enable_script_security'])).up();
      await daemon.says(/error script .*Disabling track script bad: unsafe permissions found for .*bad\.sh/, 5_000);
      await lab.master('r1', VIP);
      const seen = (priority: number) => () => recorder.first('advert', 0, { host: 'r1', priority }) !== undefined;
      await recorder.wait('the good one counts', seen(110), 5_000);
      const { instances } = (await daemon.status()) as Pick<StatusReport, 'instances'>;
      assert.deepEqual(
        instances[0]?.scripts.map(({ name, condition }) => `${name} ${condition}`),
        ['good ok', 'bad disabled'],
      );
      // Without it keepalived runs the script as well, and warns.
      daemon.reload(text([]));
      await daemon.says(
        /warning script .*bad.* is unsafe: .* would run as root but .*open is writable by others/,
        5_000,
      );
      await recorder.wait('both count', seen(160), 5_000);
    }));

  test('A22: nopreempt with state MASTER is warned of and does not count', () =>
    story('nopreempt', async (lab) => {
      await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100 })).up();
      await lab.master('r2', VIP);
      const text = quick('r1', { priority: 150, state: 'MASTER', nopreempt: true });
      const daemon = await lab.daemon('vipkeeper', 'r1', text).up();
      await daemon.says(/warning config .*nopreempt/, 5_000);
      await lab.master('r1', VIP);
    }));

  test('A27: under a service manager: ready at boot without the link, status, reload, a broken file, stop', () =>
    story('unit', async (lab) => {
      const { namespace } = lab.host('r1');
      await run('ip', '-n', namespace, 'link', 'set', 'eth0', 'down');
      const file = join(lab.directory, 'elsewhere.conf');
      writeFileSync(file, quick('r1', { priority: 150 }));
      using manager = new ServiceManager(join(lab.directory, 'notify'));
      const env = { ...toolEnvironment(), NOTIFY_SOCKET: manager.path };
      const unit = [process.execPath, AGENT, 'run', '-f', file, '--runtime-dir', join(lab.directory, 'run')];
      await using daemon = new Program(lab, 'r1', unit, env);
      await manager.hears(/^READY=1$/m);
      const main = Number(execFileSync('cat', [join(lab.directory, 'run', 'vipkeeper.pid')], { encoding: 'utf8' }));
      const status = (): Program => {
        const verb = [process.execPath, AGENT, 'status', '--runtime-dir', join(lab.directory, 'run')];
        return new Program(lab, 'r1', verb);
      };
      await run('ip', '-n', namespace, 'link', 'set', 'eth0', 'up');
      // A port that came up may be deaf: somebody asks for the address, and is heard.
      await lab.probe(VIP);
      await lab.master('r1', VIP);
      await manager.hears(/^STATUS=.*VI_1.*MASTER/m);
      await using answer = status();
      assert.equal(await answer.ended, 0, answer.error);
      assert.match(answer.out, /VI_1[^\n]*MASTER/);

      process.kill(main, 'SIGHUP'); // ExecReload
      await manager.hears(/^RELOADING=1$/m);
      await manager.hears(/^READY=1$/m);
      writeFileSync(file, 'vrrp_instance VI_1 {');
      process.kill(main, 'SIGHUP');
      await manager.hears(/^READY=1$/m);
      assert.match(daemon.error, /error reload-refused/);
      await lab.adverts('r1', 5);

      process.kill(main, 'SIGTERM');
      await manager.hears(/^STOPPING=1$/m);
      assert.equal(await daemon.ended, 0);
      assert.equal(daemon.out, '', 'the log goes to standard error only');
      assert.match(daemon.error, /^\S+ info starting /);
      await using silence = status();
      assert.notEqual(await silence.ended, 0, 'nobody is there');
    }));
});

/** systemd's side of sd_notify(3). */
class ServiceManager implements Disposable {
  readonly path: string;
  readonly #native = loadNative();
  readonly #socket: ReturnType<ReturnType<typeof loadNative>['socket']>;
  readonly #buffer = new Uint8Array(4096);

  constructor(path: string) {
    this.path = path;
    this.#socket = this.#native.socket(linux.AF_UNIX, linux.SOCK_DGRAM, 0);
    this.#native.bind(this.#socket, unixSockaddr(path)!);
  }

  /** Reads messages until one matches. @throws Error in time */
  async hears(pattern: RegExp): Promise<void> {
    const heard: string[] = [];
    const look = (): boolean => {
      for (;;) {
        const length = this.#native.recv(this.#socket, this.#buffer);
        if (length < 0) return false;
        heard.push(new TextDecoder().decode(this.#buffer.subarray(0, length)));
        if (pattern.test(heard.at(-1)!)) return true;
      }
    };
    await until(`the service manager hears ${pattern}`, look).catch((error: Error) => {
      throw new Error(`${error.message}; it heard:\n${heard.join('\n')}`);
    });
  }

  [Symbol.dispose](): void {
    this.#native.close(this.#socket);
  }
}
