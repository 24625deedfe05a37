// No password of a configuration reaches the log, whatever is wrong with it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Log } from '../../core/agent/log.ts';
import { builtInLanguage } from '../../core/app/built-in.ts';
import { ConfigurationFile } from '../../core/app/configuration-file.ts';
import { SystemFiles } from '../../core/system/files.ts';

const CANARY = 'canary-in-the-coal-mine';
const FILES = {
  'a password that is too long': `auth_type PASS\n        auth_pass ${CANARY}`,
  'a quoted password': `auth_type PASS\n        auth_pass "${CANARY} and more"`,
  'a type that does not exist': `auth_type NONSENSE ${CANARY.slice(0, 0)}\n        auth_pass ${CANARY}`,
  'words after the password': `auth_type PASS\n        auth_pass abc ${CANARY}`,
};

for (const [what, lines] of Object.entries(FILES))
  test(`the log tells of ${what} without telling it`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'vipkeeper-secrets-'));
    try {
      const path = join(directory, 'keepalived.conf');
      writeFileSync(
        path,
        `vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n    authentication {\n        ${lines}\n    }\n    virtual_ipaddress {\n        10.0.0.1\n    }\n}\n`,
      );
      const log: string[] = [];
      const logger = new Log({ sink: (line) => log.push(line), now: () => 0, level: 'debug' });
      await new ConfigurationFile(path, new SystemFiles(), logger, async () => builtInLanguage).read();
      assert.ok(log.length > 0, 'something was to be said');
      assert.ok(!log.join('\n').includes(CANARY), log.join('\n'));
      assert.ok(!log.join('\n').includes(CANARY.slice(0, 8)), log.join('\n'));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
