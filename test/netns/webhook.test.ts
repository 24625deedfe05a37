// A pair fails over and a server on a third host hears of it by webhook: signed, in order, without a gap, although it was
// not there for the first seconds.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { VipkeeperEvent } from '../../core/plugin/notifier.ts';
import { signatureOf } from '../../plugins/notify-webhook/index.ts';
import { needs } from '../support/needs.ts';
import { Program } from '../support/program.ts';
import { quick, story, until, VIP } from '../support/story.ts';

const SECRET = 'a key of this test';
const PORT = 8088;
/** Prints what is posted, a line of JSON each, and says when it is there. */
const SERVER = `
require('http').createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => {
    console.log(JSON.stringify({ signature: request.headers['x-vipkeeper-signature'], body }));
    response.writeHead(204).end();
  });
}).listen(${PORT}, () => console.log('up'));`;

describe('webhooks', needs('root', 'ip'), () => {
  test('a failover is heard of, signed and in order, by a server that came late', () =>
    story('hook', async (lab) => {
      const key = join(lab.directory, 'hook.key');
      writeFileSync(key, `${SECRET}\n`, { mode: 0o600 });
      const notifier = `notifier hooks {
  webhook {
    url http://192.0.2.250:${PORT}/vip
    secret file:${key}
  }
  events transition agent
  retries 20
}
`;
      const file = (router: string, priority: number) => quick(router, { priority }, { blocks: [notifier] });
      const one = lab.daemon('vipkeeper', 'r1', file('r1', 150));
      await one.up();
      await lab.daemon('vipkeeper', 'r2', file('r2', 100)).up();
      await lab.master('r1', VIP);
      await one.says(/warning notify-failed notifier=hooks why=ECONNREFUSED .*tried again in/, 10_000);
      await using server = new Program(lab, 'client', [process.execPath, '-e', SERVER]);
      await one.stop();
      await lab.master('r2', VIP);
      const heard = (): readonly { signature: string; body: string }[] =>
        server.out.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
      const of = (router: string): readonly VipkeeperEvent[] =>
        heard()
          .map(({ body }) => JSON.parse(body))
          .filter(({ routerId }) => routerId === router);
      const states = (router: string) => of(router).flatMap(({ type, to }) => (type === 'transition' ? [to] : []));
      await until('r2 tells that it is master', () => states('r2').includes('MASTER'), 60_000);
      assert.deepEqual(states('r2'), ['BACKUP', 'MASTER']);
      assert.deepEqual(states('r1'), ['BACKUP', 'MASTER', 'LEAVING', 'INIT']);
      assert.deepEqual(
        of('r1').flatMap(({ type, reason }) => (type === 'agent' ? [reason] : [])),
        ['running', 'stopped'],
      );
      for (const { signature, body } of heard())
        assert.equal(signature, signatureOf(SECRET, body, Number(/t=(\d+)/.exec(signature)?.[1])));
      const ids = of('r1').map(({ id }) => id);
      assert.deepEqual(ids, [...ids].sort());
      assert.equal(new Set(ids).size, ids.length);
    }));
});
