// Asks a running agent one thing over its control socket. Errors are named and say what to do.
import { connect } from 'node:net';
import { join } from 'node:path';
import { LineBuffer } from './line-buffer.ts';
import { ANSWER_LIMIT, type ControlAnswer, PROTOCOL_VERSION, parseAnswer, SOCKET_NAME } from './protocol.ts';

/**
 * `unreachable`: no agent, no permission or no answer. `refused`: the agent answered with an error, see `verbCode`.
 * `protocol`: what answered is not a vipkeeper of this version.
 */
export type ControlErrorCode = 'unreachable' | 'refused' | 'protocol';

export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly code: ControlErrorCode;
  /** The agent's own code of a refusal. */
  readonly verbCode: string | undefined;

  constructor(code: ControlErrorCode, message: string, options: { verbCode?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.verbCode = options.verbCode;
  }
}

export interface AskOptions {
  /** Milliseconds for everything. Default 5 s. */
  readonly timeout?: number;
}

/**
 * Sends one request and returns its result.
 * @throws ControlError
 */
export async function ask(
  runtimeDir: string,
  verb: string,
  parameters: Readonly<Record<string, unknown>> = {},
  options: AskOptions = {},
): Promise<unknown> {
  const path = join(runtimeDir, SOCKET_NAME);
  const line = `${JSON.stringify({ ...parameters, v: PROTOCOL_VERSION, verb })}\n`;
  const answer = await exchange(path, line, runtimeDir, options.timeout ?? 5_000);
  if (answer.ok) return answer.result;
  throw new ControlError('refused', answer.error.message, { verbCode: answer.error.code });
}

function exchange(path: string, line: string, runtimeDir: string, timeout: number): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const lines = new LineBuffer(ANSWER_LIMIT);
    const fail = (error: ControlError): void => {
      socket.destroy();
      clearTimeout(timer);
      reject(error);
    };
    const stranger = (): void =>
      fail(new ControlError('protocol', `what answers at ${path} is not a vipkeeper of this version`));
    const timer = setTimeout(
      () =>
        fail(new ControlError('unreachable', `the vipkeeper at ${path} did not answer within ${timeout / 1_000} s`)),
      timeout,
    );
    socket.on('connect', () => socket.write(line));
    socket.on('data', (chunk: Buffer) => {
      const complete = lines.add(chunk);
      if (complete === 'too-long') return stranger();
      if (complete.length === 0) return;
      const answer = parseAnswer(complete[0]!);
      if (!answer) return stranger();
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    });
    socket.on('end', () =>
      fail(new ControlError('unreachable', `the vipkeeper at ${path} ended before it answered: ask again`)),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => fail(explain(error, path, runtimeDir)));
  });
}

function explain(cause: NodeJS.ErrnoException, path: string, runtimeDir: string): ControlError {
  switch (cause.code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return new ControlError(
        'unreachable',
        `no vipkeeper is running with --runtime-dir ${runtimeDir}: start it with vipkeeper run --runtime-dir ${runtimeDir}, or name the directory of the one that runs`,
        { cause },
      );
    case 'EACCES':
    case 'EPERM':
      return new ControlError(
        'unreachable',
        `no permission to talk to ${path}: run this as root or as a member of the socket's group`,
        { cause },
      );
    default:
      return new ControlError('unreachable', `cannot talk to ${path}: ${cause.message}`, { cause });
  }
}
