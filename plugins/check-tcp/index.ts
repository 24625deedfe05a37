// check-tcp: a port accepts connections, and where asked for, the answer is as expected. Knows no schedule.
import { connect } from 'node:net';
import { type CheckHost, checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

/** More of an answer than this is not looked at. */
const MOST_ANSWER = 64 * 1024;

const options = {
  host: { kind: 'text', required: true, help: 'address or name to connect to', example: '127.0.0.1' },
  port: { kind: 'integer', min: 1, max: 65_535, required: true, help: 'TCP port' },
  source: { kind: 'address', help: 'local address to connect from' },
  send: {
    kind: 'text',
    help: 'text to send once connected; \\r, \\n, \\t, \\\\ and bytes such as \\x0a are understood',
    example: '"PING\\r\\n"',
  },
  expect: { kind: 'pattern', help: 'regular expression that the answer must match', example: '^\\+PONG' },
} as const;

export const checkTcp = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'tcp',
  help: 'a TCP port accepts connections',
  options,
  validate({ send, expect }, complain) {
    if (send !== undefined && expect === undefined)
      complain('send', 'what is sent gets no answer that is looked at', 'add expect with a pattern of the answer');
  },
  create: (values: OptionValues<typeof options>, _host: CheckHost): HealthCheck => {
    const expected = values.expect === undefined ? undefined : new RegExp(values.expect, 'u');
    const question = values.send === undefined ? undefined : unescaped(values.send);
    return { probe: (signal) => probe(values, question, expected, signal) };
  },
});

function probe(
  { host, port, source }: OptionValues<typeof options>,
  question: Buffer | undefined,
  expected: RegExp | undefined,
  signal: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      signal,
      ...(source !== undefined && { localAddress: source }),
    });
    let answer = '';
    const end = (result: ProbeResult): void => {
      // A reset leaves no TIME_WAIT behind: a check every second must not fill the table of ports.
      socket.resetAndDestroy();
      resolve(result);
    };
    socket.once('error', (error: NodeJS.ErrnoException) => end({ ok: false, why: error.code ?? error.message }));
    if (expected === undefined) {
      socket.once('connect', () => end({ ok: true }));
      return;
    }
    socket.setNoDelay().setEncoding('utf8');
    if (question !== undefined) socket.write(question);
    socket.on('data', (text: string) => {
      answer = (answer + text).slice(0, MOST_ANSWER);
      if (expected.test(answer)) end({ ok: true });
      else if (answer.length >= MOST_ANSWER) end({ ok: false, why: 'a long answer without what is expected' });
    });
    socket.once('end', () => end({ ok: false, why: `closed after ${answer.length === 0 ? 'no' : 'another'} answer` }));
  });
}

function unescaped(text: string): Buffer {
  const meant: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };
  const parts = text.split(/(\\x[0-9a-fA-F]{2}|\\[rnt\\])/);
  return Buffer.concat(
    parts.map((part, i) => {
      if (i % 2 === 0) return Buffer.from(part);
      return part[1] === 'x' ? Buffer.from(part.slice(2), 'hex') : Buffer.from(meant[part[1]!]!);
    }),
  );
}
