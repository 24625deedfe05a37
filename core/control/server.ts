// The agent's control socket: answers one JSON line with another, on a Unix socket in the runtime directory.
// Knows no verb; they are given as handlers. Whoever may write to the socket (its owner and group) may ask.
import { chmod, lstat, mkdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { LineBuffer } from './line-buffer.ts';
import {
  type ControlAnswer,
  type ControlRequest,
  parseRequest,
  REQUEST_LIMIT,
  refusal,
  SOCKET_NAME,
  success,
} from './protocol.ts';

/** Answers a verb with JSON data. Throw a VerbError to refuse in a way the client can tell. */
export type VerbHandler = (request: ControlRequest, signal: AbortSignal) => Promise<unknown>;

/** A refusal with a code of the verb's own, such as `no-such-instance`. */
export class VerbError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'VerbError';
    this.code = code;
  }
}

/** The socket cannot be opened; the message says what to do. */
export class ControlSocketError extends Error {
  override readonly name = 'ControlSocketError';
}

export interface ControlServerOptions {
  readonly runtimeDir: string;
  readonly verbs: ReadonlyMap<string, VerbHandler>;
  /** A handler failed by a bug; the client hears `failed`. */
  readonly onError: (verb: string, error: unknown) => void;
  /** For a request to arrive, to be answered, and for the answer to be taken: milliseconds each. Default 10 s. */
  readonly timeout?: number;
}

const MAX_CONNECTIONS = 32;
const SOCKET_MODE = 0o660;

export class ControlServer {
  readonly path: string;
  readonly #options: ControlServerOptions;
  readonly #timeout: number;
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#timeout = options.timeout ?? 10_000;
    this.path = join(options.runtimeDir, SOCKET_NAME);
  }

  /**
   * Opens the socket, in place of one whose agent is dead but never of a living one.
   * @throws ControlSocketError
   */
  async open(): Promise<void> {
    const { runtimeDir } = this.#options;
    try {
      await mkdir(runtimeDir, { recursive: true, mode: 0o755 });
      await clearStale(this.path, runtimeDir);
      this.#server = await listen(this.path, (socket) => this.#onConnection(socket));
      await chmod(this.path, SOCKET_MODE);
    } catch (error) {
      if (error instanceof ControlSocketError) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE') throw alreadyRunning(runtimeDir);
      throw new ControlSocketError(
        `cannot open the control socket ${this.path}: ${message}; choose a directory that this user may write to with --runtime-dir`,
        { cause: error },
      );
    }
  }

  /** Closes the socket and every connection, and removes the socket from the file system. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  #onConnection(socket: Socket): void {
    if (this.#connections.size >= MAX_CONNECTIONS) {
      socket.on('error', () => socket.destroy());
      hangUp(socket, refusal('busy', `more than ${MAX_CONNECTIONS} connections at once`));
      return;
    }
    this.#connections.add(socket);
    const gone = new AbortController();
    const lines = new LineBuffer(REQUEST_LIMIT);
    const late = () => hangUp(socket, refusal('timeout', `no request within ${this.#timeout / 1_000} s`));
    // For a whole request, not for the next byte of one: who drips must not hold a connection for ever.
    let timer = setTimeout(late, this.#timeout);
    let busy = false;
    let ended = false;
    const onEnd = (): void => {
      ended = true;
      if (busy) return;
      if (lines.incomplete) hangUp(socket, refusal('malformed', 'the request ended without a line feed'));
      else socket.end();
    };
    // Requests of one connection are answered one after the other, in order; meanwhile nothing is read.
    const onData = async (chunk: Buffer): Promise<void> => {
      const complete = lines.add(chunk);
      if (complete === 'too-long')
        return hangUp(socket, refusal('too-long', `a request has at most ${REQUEST_LIMIT} bytes`));
      if (complete.length === 0) return;
      clearTimeout(timer);
      socket.pause();
      busy = true;
      for (const line of complete) {
        const answer = await this.#answer(line, gone.signal);
        // Who sends what is no request is not talked to any further.
        if (!answer.ok && (answer.error.code === 'malformed' || answer.error.code === 'version'))
          return hangUp(socket, answer);
        if (socket.destroyed) return;
        if (!socket.write(encode(answer))) await drained(socket, this.#timeout);
        if (socket.destroyed) return;
      }
      busy = false;
      if (ended) return onEnd();
      timer = setTimeout(late, this.#timeout);
      socket.resume();
    };
    socket.on('data', (chunk: Buffer) => void onData(chunk));
    socket.on('end', onEnd);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      this.#connections.delete(socket);
      gone.abort();
    });
  }

  async #answer(line: Uint8Array, gone: AbortSignal): Promise<ControlAnswer> {
    const parsed = parseRequest(line);
    if ('fault' in parsed) return refusal(parsed.fault, parsed.message);
    const { verb } = parsed.request;
    const handler = this.#options.verbs.get(verb);
    if (!handler) {
      const known = [...this.#options.verbs.keys()].join(', ');
      return refusal('unknown-verb', `this agent does not know that verb; it knows: ${known}`);
    }
    const signal = AbortSignal.any([gone, AbortSignal.timeout(this.#timeout)]);
    const ended = Promise.withResolvers<ControlAnswer>();
    const onAbort = () => ended.resolve(refusal('timeout', `no answer to ${verb} within ${this.#timeout / 1_000} s`));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([handler(parsed.request, signal).then(success), ended.promise]);
    } catch (error) {
      if (error instanceof VerbError) return refusal(error.code, error.message);
      if (!signal.aborted) this.#options.onError(verb, error);
      return refusal('failed', `${verb} failed: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** Removes a socket that nobody answers. @throws ControlSocketError when somebody does, or when it is no socket */
async function clearStale(path: string, runtimeDir: string): Promise<void> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!stats) return;
  if (!stats.isSocket()) throw new ControlSocketError(`${path} is in the way and is not a socket: remove it by hand`);
  if (await isAlive(path)) throw alreadyRunning(runtimeDir);
  await unlink(path);
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Refused or vanished: dead. Anything else (a full backlog, no permission) means that somebody is there.
    probe.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

function alreadyRunning(runtimeDir: string): ControlSocketError {
  return new ControlSocketError(
    `another vipkeeper is running with --runtime-dir ${runtimeDir}: stop it first, or give this one a directory of its own`,
  );
}

function listen(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Half open, so that `echo … | nc -N -U` gets its answer.
    const server = createServer({ allowHalfOpen: true }, onConnection);
    server.on('error', reject);
    // The socket must not be open to all between bind and chmod; listen binds before it returns.
    const before = process.umask(0o777 & ~SOCKET_MODE);
    try {
      server.listen(path, () => resolve(server));
    } finally {
      process.umask(before);
    }
  });
}

/** Answers for the last time; a client that neither reads nor closes is cut off a second later. */
function hangUp(socket: Socket, answer: ControlAnswer): void {
  if (socket.destroyed || socket.writableEnded) return;
  const timer = setTimeout(() => socket.destroy(), 1_000);
  socket.on('close', () => clearTimeout(timer));
  // What it still sends is thrown away: a client that is blocked in writing would never read its answer.
  socket.removeAllListeners('data');
  socket.resume();
  socket.end(encode(answer));
}

/** Until the client took the answer; one that does not is cut off. */
function drained(socket: Socket, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), timeout);
    const done = (): void => {
      clearTimeout(timer);
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

function encode(answer: ControlAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}
