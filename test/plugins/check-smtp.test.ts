import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { needs } from '../support/needs.ts';
import { Authority } from './authority.ts';
import { checkOf, read } from './block.ts';
import { enterOwnNetwork, filter } from './own-network.ts';

describe('check-smtp', needs('root', 'ip', 'nft', 'openssl'), () => {
  let authority: Authority;
  const closers: (() => void)[] = [];
  /** A real mail server. */
  const serve = async (options: SMTPServerOptions): Promise<{ port: number }> => {
    const server = new SMTPServer({
      authOptional: true,
      disableReverseLookup: true,
      logger: false,
      closeTimeout: 10,
      ...options,
    });
    server.on('error', () => {});
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close(() => {}));
    return { port: (server.server.address() as { port: number }).port };
  };
  const certificate = (name: string, from?: number, to?: number) => {
    const files = authority.issue(name, from, to);
    return { cert: readFileSync(files.certificate), key: readFileSync(files.key) };
  };
  /** A server of our own that misbehaves; `ended` resolves when its connection is gone. */
  const misbehave = async (behave: (socket: Socket) => unknown) => {
    const ended = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('close', () => ended.resolve());
      socket.resume();
      behave(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    return { port: (server.address() as { port: number }).port, ended: ended.promise };
  };
  const look = (port: number, more = '', timeout?: number) =>
    checkOf('smtp', `host 127.0.0.1\nport ${port}\n${more}`, timeout).look();

  before(() => {
    enterOwnNetwork();
    authority = new Authority();
  });
  after(() => {
    for (const close of closers) close();
    authority[Symbol.dispose]();
  });

  test('a server that greets and takes EHLO is healthy', async () => {
    const { port } = await serve({});
    assert.deepEqual(await look(port), { ok: true });
    const said: string[] = [];
    const other = await misbehave((socket) => {
      socket.write('220 hi\r\n');
      socket.on('data', (line) => {
        said.push(`${line}`);
        socket.write(`${line}`.startsWith('QUIT') ? '221 bye\r\n' : '250 hi\r\n');
      });
    });
    assert.deepEqual(await look(other.port, 'helo_name probe.example'), { ok: true });
    assert.deepEqual(said, ['EHLO probe.example\r\n', 'QUIT\r\n']);
  });
  test('STARTTLS and TLS from the start, with a certificate of a known authority', async () => {
    const tls = certificate('127.0.0.1');
    const starttls = await serve({ ...tls });
    const implicit = await serve({ secure: true, ...tls });
    const ca = `ca ${authority.file}`;
    assert.deepEqual(await look(starttls.port, `tls starttls\n${ca}`), { ok: true });
    assert.deepEqual(await look(implicit.port, `tls implicit\n${ca}`), { ok: true });
    assert.deepEqual(await look(implicit.port, 'tls implicit\nverify off'), { ok: true });
    for (const [server, how] of [
      [starttls, 'starttls'],
      [implicit, 'implicit'],
    ] as const)
      assert.deepEqual(await look(server.port, `tls ${how}`), {
        ok: false,
        why: 'the certificate is of an unknown authority',
      });
  });
  for (const [what, name, from, to, why] of [
    ['expired', '127.0.0.1', -30, -1, 'the certificate has expired'],
    ['not valid yet', '127.0.0.1', 2, 30, 'the certificate is not valid yet'],
    ['for another name', 'other.example', -1, 30, 'the certificate is for another name'],
  ] as const)
    test(`a certificate that is ${what}`, async () => {
      const tls = certificate(name, from, to);
      const starttls = await serve({ ...tls });
      const implicit = await serve({ secure: true, ...tls });
      const ca = `ca ${authority.file}`;
      assert.deepEqual(await look(starttls.port, `tls starttls\n${ca}`), { ok: false, why });
      assert.deepEqual(await look(implicit.port, `tls implicit\n${ca}`), { ok: false, why });
    });
  test('the name in the certificate is that of sni', async () => {
    const { port } = await serve({ ...certificate('mail.example') });
    const ca = `tls starttls\nca ${authority.file}`;
    assert.deepEqual(await look(port, `${ca}\nsni mail.example`), { ok: true });
    assert.deepEqual(await look(port, `${ca}\nsni other.example`), {
      ok: false,
      why: 'the certificate is for another name',
    });
  });
  test('a server that does not offer STARTTLS, refuses clients, or speaks no TLS', async () => {
    const bare = await serve({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    const without = await look(bare.port, 'tls starttls');
    assert.match(without.ok ? '' : without.why, /^STARTTLS: 5\d\d /);
    const full = await serve({ onConnect: (_, done) => done(Object.assign(new Error('Busy'), { responseCode: 421 })) });
    assert.deepEqual(await look(full.port), { ok: false, why: 'greeting: 421 Busy' });
    assert.deepEqual(await look(bare.port, 'tls implicit'), { ok: false, why: 'no TLS is spoken there' });
  });
  for (const [what, behave, why] of [
    ['is silent', () => {}, 'timed out'],
    ['says half a greeting', (socket) => socket.write('220 mai'), 'timed out'],
    ['says a first line of several', (socket) => socket.write('220-mail.example\r\n'), 'timed out'],
    ['takes the greeting back', (socket) => socket.end('220 mai'), 'the connection broke off'],
    ['closes', (socket) => socket.end(), 'the connection broke off'],
    ['dies', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['refuses', (socket) => socket.write('554 no mail here\r\n'), 'greeting: 554 no mail here'],
    ['speaks HTTP', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 'no SMTP is spoken there'],
    ['talks without end', (socket) => socket.write('220-x\r\n'.repeat(10_000)), 'an answer without end'],
    [
      'dies after the greeting',
      (socket) => {
        socket.write('220 hi\r\n');
        socket.once('data', () => socket.resetAndDestroy());
      },
      'ECONNRESET',
    ],
    [
      'greets and refuses EHLO',
      (socket) => {
        socket.write('220-hi\r\n220 there\r\n');
        socket.once('data', () => socket.write('550-go\r\n550 away\r\n'));
      },
      'EHLO: 550 away',
    ],
    [
      'never answers EHLO',
      (socket) => {
        socket.write('220 hi\r\n');
      },
      'timed out',
    ],
  ] as const satisfies readonly (readonly [string, (socket: Socket) => unknown, string])[])
    test(`a server that ${what}`, async () => {
      const server = await misbehave(behave);
      assert.deepEqual(await look(server.port, '', 300), { ok: false, why });
      await server.ended; // freed at once
    });
  test('what follows STARTTLS in clear is not taken for an answer over TLS', async () => {
    const server = await misbehave((socket) => {
      socket.write('220 hi\r\n');
      socket.once('data', () => {
        socket.write('250-hi\r\n250 STARTTLS\r\n');
        socket.once('data', () => socket.write('220 go\r\n250 injected\r\n'));
      });
    });
    assert.deepEqual(await look(server.port, 'tls starttls'), { ok: false, why: 'STARTTLS: 250 injected' });
  });
  test('a TLS handshake that is never answered is given up with its socket', async () => {
    const server = await misbehave(() => {});
    assert.deepEqual(await look(server.port, 'tls implicit', 300), { ok: false, why: 'timed out' });
    await server.ended;
  });
  test('nobody there, and a filter that drops everything', async () => {
    assert.deepEqual(await look(1), { ok: false, why: 'ECONNREFUSED' });
    assert.deepEqual(await look(1, 'tls implicit'), { ok: false, why: 'ECONNREFUSED' });
    const { port } = await serve({});
    const heal = filter(port);
    assert.deepEqual(await look(port, '', 200), { ok: false, why: 'timed out' });
    heal();
    assert.deepEqual(await look(port), { ok: true });
  });
  test('its block is checked', () => {
    assert.deepEqual(read('smtp', 'host a\nhelo_name "a b"').said, ['helo_name: it must be one word']);
    assert.deepEqual(read('smtp', 'host a\nca /x').said, ['tls: ca and sni have no meaning without TLS']);
    assert.deepEqual(read('smtp', 'port 25').said, ['W059 smtp in vrrp_check c needs host']);
    assert.equal(read('smtp', 'host a\ntls yes').said.length, 1);
    assert.equal(read('smtp', 'host a').options?.['port'], 25);
  });
});
