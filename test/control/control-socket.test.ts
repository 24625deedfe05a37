import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, lstat, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ask, ControlError } from '../../core/control/client.ts';
import { REQUEST_LIMIT, SOCKET_NAME } from '../../core/control/protocol.ts';
import { ControlServer, ControlSocketError, VerbError, type VerbHandler } from '../../core/control/server.ts';

async function temporary(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'vipkeeper-control-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

async function serve(t: TestContext, verbs: Record<string, VerbHandler> = {}, timeout?: number) {
  const runtimeDir = join(await temporary(t), 'run');
  const errors: string[] = [];
  const server = new ControlServer({
    runtimeDir,
    verbs: new Map(Object.entries({ echo: async (request) => request, ...verbs })),
    onError: (verb, error) => errors.push(`${verb}: ${(error as Error).message}`),
    ...(timeout === undefined ? {} : { timeout }),
  });
  await server.open();
  t.after(() => server.close());
  return { runtimeDir, server, errors };
}

/** Sends bytes as they are and returns everything that comes until the server closes. */
async function talk(path: string, ...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect(path);
  await once(socket, 'connect');
  for (const part of parts) socket.write(part);
  return read(socket);
}

async function read(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    text += chunk;
  });
  // The server may cut us off while we still write.
  socket.on('error', () => {});
  await once(socket, 'close');
  return text;
}

const codeOf = (line: string): string => JSON.parse(line).error.code;
const refusedWith = (verbCode: string) => (error: unknown) =>
  error instanceof ControlError && error.code === 'refused' && error.verbCode === verbCode;

test('a request is answered with what its handler returns', async (t) => {
  const { runtimeDir } = await serve(t);
  assert.deepEqual(await ask(runtimeDir, 'echo', { name: 'VI_1' }), { v: 1, verb: 'echo', name: 'VI_1' });
});

test('an answer may be large', async (t) => {
  const { runtimeDir } = await serve(t, { large: async () => 'x'.repeat(5_000_000) });
  assert.equal(((await ask(runtimeDir, 'large')) as string).length, 5_000_000);
});

test('several requests of one connection are answered in order', async (t) => {
  let calls = 0;
  const slow: VerbHandler = async () => {
    const call = ++calls;
    await new Promise((resolve) => setImmediate(resolve));
    return call;
  };
  const { server } = await serve(t, { slow });
  const socket = connect({ path: server.path, allowHalfOpen: true });
  const request = '{"v":1,"verb":"slow"}\n';
  socket.end(request + request + request);
  const answers = (await read(socket)).trim().split('\n');
  assert.deepEqual(
    answers.map((line) => JSON.parse(line).result),
    [1, 2, 3],
  );
});

test('a request may come byte by byte', async (t) => {
  const { server } = await serve(t);
  const socket = connect({ path: server.path, allowHalfOpen: true });
  await once(socket, 'connect');
  for (const c of '{"v":1,"verb":"echo","x":"é"}\n') {
    for (const byte of Buffer.from(c)) socket.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  assert.equal(JSON.parse(await read(socket)).result.x, 'é');
});

test('an unknown verb is refused with the known ones, and the connection goes on', async (t) => {
  const { runtimeDir, server } = await serve(t);
  await assert.rejects(
    ask(runtimeDir, 'eco'),
    (error: Error) => refusedWith('unknown-verb')(error) && /knows: echo/.test(error.message),
  );
  const socket = connect({ path: server.path, allowHalfOpen: true });
  socket.end('{"v":1,"verb":"__proto__"}\n{"v":1,"verb":"echo"}\n');
  const [first, second] = (await read(socket)).trim().split('\n');
  assert.equal(codeOf(first!), 'unknown-verb');
  assert.equal(JSON.parse(second!).ok, true);
});

test('a refusal of a verb keeps its code; a bug is reported to the agent and refused', async (t) => {
  const { runtimeDir, errors } = await serve(t, {
    picky: async () => {
      throw new VerbError('no-such-instance', 'there is no VI_9');
    },
    broken: async () => {
      throw new TypeError('a bug');
    },
  });
  await assert.rejects(ask(runtimeDir, 'picky'), refusedWith('no-such-instance'));
  assert.deepEqual(errors, []);
  await assert.rejects(ask(runtimeDir, 'broken'), refusedWith('failed'));
  assert.deepEqual(errors, ['broken: a bug']);
});

const nonsense: readonly [what: string, bytes: string | Uint8Array, code: string][] = [
  ['no JSON', 'status\n', 'malformed'],
  ['an empty line', '\n', 'malformed'],
  ['an array', '[1]\n', 'malformed'],
  ['null', 'null\n', 'malformed'],
  ['binary rubbish', Uint8Array.from({ length: 300 }, (_, i) => (i * 89) & 255), 'malformed'],
  ['broken UTF-8', Buffer.from('{"v":1,"verb":"\xff"}\n', 'latin1'), 'malformed'],
  ['no verb', '{"v":1}\n', 'malformed'],
  ['a verb that is no text', '{"v":1,"verb":["echo"]}\n', 'malformed'],
  ['another version', '{"v":2,"verb":"echo"}\n', 'version'],
  ['no version', '{"verb":"echo"}\n', 'version'],
  ['deep nesting', `${'['.repeat(50_000)}\n`, 'malformed'],
  ['a line that is too long', `{"v":1,"verb":"${'x'.repeat(REQUEST_LIMIT)}"}\n`, 'too-long'],
  ['an endless line', 'x'.repeat(8 * REQUEST_LIMIT), 'too-long'],
  ['HTTP', 'GET / HTTP/1.1\r\n\r\n', 'malformed'],
];

for (const [what, bytes, code] of nonsense)
  test(`${what} is answered with ${code} and the connection is closed`, async (t) => {
    const { runtimeDir, server } = await serve(t);
    const answer = await talk(server.path, bytes);
    assert.equal(codeOf(answer.trim()), code);
    assert.ok(await ask(runtimeDir, 'echo'));
  });

test('half a line and then the end is answered with malformed', async (t) => {
  const { server } = await serve(t);
  const socket = connect({ path: server.path, allowHalfOpen: true });
  socket.end('{"v":1,"verb"');
  assert.equal(codeOf(await read(socket)), 'malformed');
});

test('a client that says nothing, or only drips, is cut off after the time for a request', async (t) => {
  const { server } = await serve(t, {}, 200);
  assert.equal(codeOf(await talk(server.path)), 'timeout');
  const socket = connect(server.path);
  const drip = setInterval(() => socket.write(' '), 20);
  t.after(() => clearInterval(drip));
  assert.equal(codeOf(await read(socket)), 'timeout');
});

test('a handler that does not answer is given up, and told so', async (t) => {
  let told = false;
  const hang: VerbHandler = (_request, signal) =>
    new Promise(() => {
      signal.addEventListener('abort', () => {
        told = true;
      });
    });
  const { runtimeDir } = await serve(t, { hang }, 100);
  await assert.rejects(ask(runtimeDir, 'hang'), refusedWith('timeout'));
  assert.equal(told, true);
});

test('clients that leave without reading do no harm', async (t) => {
  const { runtimeDir, server } = await serve(t, { large: async () => 'x'.repeat(2_000_000) });
  for (let i = 0; i < 20; i++) {
    const socket = connect(server.path);
    await once(socket, 'connect');
    await new Promise<void>((resolve) => socket.write('{"v":1,"verb":"large"}\n', () => resolve()));
    socket.destroy();
  }
  assert.ok(await ask(runtimeDir, 'echo'));
});

test('too many connections are told so, and there is room again when they end', async (t) => {
  const { runtimeDir, server } = await serve(t);
  const crowd = Array.from({ length: 32 }, () => connect(server.path));
  await Promise.all(crowd.map((socket) => once(socket, 'connect')));
  await assert.rejects(ask(runtimeDir, 'echo'), refusedWith('busy'));
  const gone = crowd.map((socket) => once(socket, 'close'));
  for (const socket of crowd) socket.end();
  await Promise.all(gone);
  assert.ok(await ask(runtimeDir, 'echo'));
});

test('the socket is for owner and group only, whatever our umask is', async (t) => {
  const before = process.umask(0);
  t.after(() => process.umask(before));
  const { server } = await serve(t);
  assert.equal((await stat(server.path)).mode & 0o777, 0o660);
  assert.equal(process.umask(), 0);
});

test('close removes the socket and ends every connection', async (t) => {
  const { server } = await serve(t);
  const socket = connect(server.path);
  await once(socket, 'connect');
  const closed = read(socket);
  await server.close();
  await closed;
  await assert.rejects(lstat(server.path), { code: 'ENOENT' });
  await server.close();
});

test('a socket whose agent is dead is replaced', async (t) => {
  const { runtimeDir, server } = await serve(t);
  await server.close();
  // A socket file that nobody listens on: bound, then moved away before its close removes it.
  const dead = createServer().listen(`${server.path}.old`);
  await once(dead, 'listening');
  await rename(`${server.path}.old`, server.path);
  await new Promise((resolve) => dead.close(resolve));
  assert.ok((await lstat(server.path)).isSocket());
  await server.open();
  assert.ok(await ask(runtimeDir, 'echo'));
});

test("a living agent's socket is never taken over", async (t) => {
  const { runtimeDir } = await serve(t);
  const second = new ControlServer({ runtimeDir, verbs: new Map(), onError: () => {} });
  await assert.rejects(
    second.open(),
    (error: Error) =>
      error instanceof ControlSocketError && /another vipkeeper is running with --runtime-dir/.test(error.message),
  );
  await second.close();
  assert.ok(await ask(runtimeDir, 'echo'));
});

test('a file in the way that is no socket is left alone', async (t) => {
  const runtimeDir = await temporary(t);
  const path = join(runtimeDir, SOCKET_NAME);
  await writeFile(path, 'precious');
  const server = new ControlServer({ runtimeDir, verbs: new Map(), onError: () => {} });
  await assert.rejects(server.open(), /is in the way and is not a socket/);
  assert.equal(await readFile(path, 'utf8'), 'precious');
});

test('a runtime directory that cannot be made is named with the fix', async (t) => {
  const file = join(await temporary(t), 'file');
  await writeFile(file, '');
  const server = new ControlServer({ runtimeDir: join(file, 'run'), verbs: new Map(), onError: () => {} });
  await assert.rejects(server.open(), /choose a directory .* with --runtime-dir/);
});

test('a client without an agent hears how to start one', async (t) => {
  const runtimeDir = await temporary(t);
  await assert.rejects(ask(runtimeDir, 'status'), {
    name: 'ControlError',
    code: 'unreachable',
    message: `no vipkeeper is running with --runtime-dir ${runtimeDir}: start it with vipkeeper run --runtime-dir ${runtimeDir}, or name the directory of the one that runs`,
  });
});

test('a client without permission hears who may ask', {
  skip: process.getuid!() === 0 && 'root may always',
}, async (t) => {
  const { runtimeDir, server } = await serve(t);
  await chmod(server.path, 0);
  await assert.rejects(ask(runtimeDir, 'echo'), /no permission to talk to/);
});

/** Something else that listens on the control socket. */
async function impostor(t: TestContext, onConnection: (socket: Socket) => void): Promise<string> {
  const runtimeDir = await temporary(t);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  }).listen(join(runtimeDir, SOCKET_NAME));
  await once(server, 'listening');
  t.after(() => server.close());
  return runtimeDir;
}

const strangers: readonly [what: string, answer: (socket: Socket) => void, code: string][] = [
  ['answers something else', (socket) => socket.end('220 smtp ready\n'), 'protocol'],
  ['answers another version', (socket) => socket.end('{"v":9,"ok":true}\n'), 'protocol'],
  ['hangs up', (socket) => socket.end(), 'unreachable'],
  ['ends within a line', (socket) => socket.end('{"v":1,'), 'unreachable'],
  ['says nothing', (socket) => socket.resume(), 'unreachable'],
];

for (const [what, answer, code] of strangers)
  test(`an agent that ${what} is an error with the code ${code}`, async (t) => {
    const runtimeDir = await impostor(t, (socket) => socket.once('data', () => answer(socket)));
    await assert.rejects(ask(runtimeDir, 'status', {}, { timeout: 300 }), { name: 'ControlError', code });
  });
