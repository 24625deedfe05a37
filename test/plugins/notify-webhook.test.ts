// notify-webhook against real servers: what is sent and signed, which answers are tried again, every way of not answering.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as httpServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as httpsServer } from 'node:https';
import { type AddressInfo, createServer as tcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { seconds } from '../../core/units.ts';
import { needs } from '../support/needs.ts';
import { Authority, type Certificate } from './authority.ts';
import { notifierOf, readNotifier, transition } from './notify-block.ts';

interface Posted {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server at work, its port, and what it was sent. */
async function serve(answer: RequestListener, certificate?: Certificate) {
  const posted: Posted[] = [];
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      posted.push({ method: request.method, headers: request.headers, body });
      answer(request, response);
    });
  };
  const files = certificate && { key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) };
  const server: Server = files ? httpsServer(files, listener) : httpServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    posted,
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}/hook`,
    server,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(code, headers).end('answer');

const tell = (url: string, more = '') => notifierOf('webhook', `url ${url}\n${more}`).tell();

describe('what is sent', () => {
  test('one event is one POST of its JSON, with the headers that were asked for', async () => {
    using at = await serve(status(204));
    assert.deepEqual(await tell(at.url, 'header "Authorization: Bearer abc"\nheader "X-Site: one"'), { ok: true });
    const [{ method, headers, body }] = at.posted as [Posted];
    assert.equal(method, 'POST');
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['authorization'], 'Bearer abc');
    assert.equal(headers['x-site'], 'one');
    assert.equal(headers['user-agent'], 'vipkeeper/1.2.3');
    assert.equal(headers['x-vipkeeper-signature'], undefined);
    assert.deepEqual(JSON.parse(body), transition);
  });

  test('the signature is what openssl makes of it, as the README says', needs('openssl'), async () => {
    using at = await serve(status(200));
    await tell(at.url, 'secret "k 1"');
    const [{ headers, body }] = at.posted as [Posted];
    const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(`${headers['x-vipkeeper-signature']}`)!;
    const made = execFileSync('openssl', ['dgst', '-sha256', '-hmac', 'k 1', '-r'], { input: `${time}.${body}` });
    assert.equal(made.toString().split(' ')[0], signature);
  });

  test('a secret in a file is the same secret', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'vk-hook-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'key');
    writeFileSync(file, 'k 1\n');
    using at = await serve(status(200));
    await tell(at.url, `secret file:${file}`);
    const [{ headers, body }] = at.posted as [Posted];
    const [, time, signature] = /^t=(\d+),v1=(.*)$/.exec(`${headers['x-vipkeeper-signature']}`)!;
    assert.equal(signature, createHmac('sha256', 'k 1').update(`${time}.${body}`).digest('hex'));
    assert.throws(
      () => notifierOf('webhook', `url ${at.url}\nsecret file:${file}.no`),
      /key\.no cannot be read: ENOENT/,
    );
  });
});

describe('answers', () => {
  for (const [code, result] of [
    [200, { ok: true }],
    [202, { ok: true }],
    [301, { ok: false, why: 'it answered 301; redirects are not followed', permanent: true }],
    [400, { ok: false, why: 'it answered 400', permanent: true }],
    [408, { ok: false, why: 'it answered 408' }],
    [413, { ok: false, why: 'it answered 413', permanent: true }],
    [429, { ok: false, why: 'it answered 429' }],
    [500, { ok: false, why: 'it answered 500' }],
  ] as const)
    test(`${code}`, async () => {
      using at = await serve(status(code, code === 301 ? { location: '/elsewhere' } : {}));
      assert.deepEqual(await tell(at.url), result);
      assert.equal(at.posted.length, 1);
    });

  test('Retry-After is handed on', async () => {
    using at = await serve(status(503, { 'retry-after': '7' }));
    assert.deepEqual(await tell(at.url), { ok: false, why: 'it answered 503', retryAfter: seconds(7) });
    using dated = await serve((request, response) =>
      status(429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() })(request, response),
    );
    const result = await tell(dated.url);
    assert.ok(!result.ok && result.retryAfter! > seconds(1) && result.retryAfter! <= seconds(60));
    using strange = await serve(status(503, { 'retry-after': 'soon' }));
    assert.deepEqual(await tell(strange.url), { ok: false, why: 'it answered 503' });
  });

  test('an answer without end is read to a limit', async () => {
    using at = await serve((_, response) => {
      response.writeHead(200);
      const more = (): boolean => response.write('x'.repeat(16_384)) && more();
      response.on('drain', more);
      more();
    });
    assert.deepEqual(await tell(at.url), { ok: true });
  });
});

describe('no answer', () => {
  test('nobody listens', async () => {
    const at = await serve(status(200));
    at[Symbol.dispose]();
    await once(at.server, 'close');
    assert.deepEqual(await tell(at.url), { ok: false, why: 'ECONNREFUSED' });
  });

  test('the server dies in the middle of its answer', async () => {
    using at = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    assert.deepEqual(await tell(at.url), { ok: false, why: 'the answer broke off' });
  });

  test('the server dies before it answers', async () => {
    using at = await serve((request) => void request.socket.destroy());
    assert.deepEqual(await tell(at.url), { ok: false, why: 'ECONNRESET' });
  });

  test('what answers speaks no HTTP', async () => {
    const server = tcpServer((socket) => void socket.end('220 mail\r\n'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const result = await tell(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    server.close();
    assert.match(result.ok ? '' : result.why, /^(HPE_|ECONNRESET)/);
  });

  test('the time is up: the connection is gone at once', async () => {
    const abort = new AbortController();
    const closed = Promise.withResolvers<void>();
    using at = await serve((request) => {
      request.socket.once('close', () => closed.resolve());
      abort.abort();
    });
    const result = await notifierOf('webhook', `url ${at.url}`).tell(undefined, abort.signal);
    assert.equal(result.ok, false);
    await closed.promise;
  });
});

describe('certificates', needs('openssl'), () => {
  test('only one that is valid, of a known authority and for that name is believed', async () => {
    using authority = new Authority();
    const against = async (certificate: Certificate, more: string) => {
      using at = await serve(status(200), certificate);
      const result = await tell(at.url, more);
      return result.ok ? 'ok' : result.why;
    };
    const ca = `ca ${authority.file}`;
    const good = authority.issue('127.0.0.1');
    assert.equal(await against(good, ca), 'ok');
    assert.match(await against(good, ''), /unknown authority|self-signed/);
    assert.equal(await against(good, 'verify off'), 'ok');
    assert.equal(await against(authority.issue('127.0.0.1', -10, -5), ca), 'the certificate has expired');
    assert.equal(await against(authority.issue('other.example'), ca), 'the certificate is for another name');
  });
});

describe('its block', () => {
  test('is read with what is common to notifiers', () => {
    const { config, said } = readNotifier(
      'webhook {\nurl https://h/x\nsecret abc\n}\nevents transition check\ninstances V\ntimeout 2\nretries 1',
    );
    assert.deepEqual(said, []);
    assert.deepEqual(config, {
      name: 'n',
      plugin: 'webhook',
      options: { url: 'https://h/x', secret: 'abc', header: [], verify: true },
      events: ['transition', 'check'],
      instances: ['V'],
      timeout: seconds(2),
      retries: 1,
      gather: 0,
    });
  });

  test('what is wrong is said with its place', () => {
    const said = (block: string) => readNotifier(block).said.map((one) => one.replace(/;.*/, ''));
    assert.deepEqual(said('webhook {\nverify maybe\n}\nevents shout\ninstances W'), [
      '2 W059 webhook in notifier n needs url',
      '2 W067 notifier n lacks what webhook needs',
      "3 W012 verify takes on or off, not 'maybe'",
      '5 W012 there is no event shout',
    ]);
    assert.deepEqual(said('webhook {\nurl https://h\n}\ninstances W'), [
      '5 W050 notifier n names W, but there is no such instance',
    ]);
    assert.deepEqual(said('retries 200'), [
      '1 W067 notifier n does not say how to tell',
      '2 W011 retries 200 is out of range 0..100',
    ]);
    assert.deepEqual(said('exec {\nprogram /bin/true\n}\nfifo {\nfile /x\n}'), [
      '5 W067 notifier n has both exec and fifo',
    ]);
  });

  test('what only the plugin can see is said when it begins', () => {
    assert.throws(() => notifierOf('webhook', 'url ftp://h/x'), /url is no address of the form https:\/\/host\/path/);
    assert.throws(() => notifierOf('webhook', 'url http://h/x\nheader nothing'), /header number 1 is not of the form/);
    assert.match(
      notifierOf('webhook', 'url http://h/x').said.join(),
      /secret: without it anybody can send such events/,
    );
  });
});
