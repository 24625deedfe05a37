import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as plain } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createServer } from 'node:tls';
import { needs } from '../support/needs.ts';
import { Authority } from './authority.ts';
import { checkOf, read } from './block.ts';

describe('check-certificate', needs('openssl'), () => {
  let authority: Authority;
  const servers: { close(): void }[] = [];
  const look = (port: number, more: string, timeout?: number) =>
    checkOf('certificate', `host 127.0.0.1\nport ${port}\nsni good.example\n${more}`, timeout).look();
  const serve = async (name: string, from: number, to: number): Promise<number> => {
    const { certificate, key } = authority.issue(name, from, to);
    const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as { port: number }).port;
  };
  before(() => {
    authority = new Authority();
  });
  after(() => {
    for (const server of servers) server.close();
    authority[Symbol.dispose]();
  });

  test('days are counted, and too few are a failure with the date', async () => {
    const port = await serve('good.example', -1, 20);
    const ca = `ca ${authority.file}`;
    assert.deepEqual(await look(port, ca), { ok: true, detail: 'valid for 19 days' });
    const date = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
    assert.deepEqual(await look(port, `${ca}\ndays 30`), {
      ok: false,
      why: `the certificate expires in 19 days, on ${date}`,
    });
    assert.deepEqual(await look(port, ''), { ok: false, why: 'the certificate is of an unknown authority' });
  });
  test('expired, for another name; without verification the date counts all the same', async () => {
    const expired = await serve('good.example', -30, -1);
    const other = await serve('other.example', -1, 20);
    const ca = `ca ${authority.file}`;
    assert.deepEqual(await look(expired, ca), { ok: false, why: 'the certificate has expired' });
    assert.deepEqual(await look(expired, 'verify off'), { ok: false, why: 'the certificate has expired' });
    assert.deepEqual(await look(other, ca), { ok: false, why: 'the certificate is for another name' });
    assert.deepEqual(await look(other, 'verify off'), { ok: true, detail: 'valid for 19 days' });
  });
  test('nobody there, no TLS, silence', async () => {
    assert.deepEqual(await look(1, ''), { ok: false, why: 'ECONNREFUSED' });
    for (const [greeting, why] of [
      ['220 mail\r\n', 'no TLS is spoken there'],
      ['', 'no answer in time'],
    ] as const) {
      const server = plain((socket) => socket.write(greeting));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.push(server);
      const result = await look((server.address() as { port: number }).port, '', 300);
      assert.match(result.ok ? '' : result.why, new RegExp(`${why}|timed out`));
    }
  });
  test('its block is checked', () => {
    assert.deepEqual(read('certificate', 'days 10').said, ['W059 certificate in vrrp_check c needs host']);
    assert.equal(read('certificate', 'host a').options?.['port'], 443);
  });
});
