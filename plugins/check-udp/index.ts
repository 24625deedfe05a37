// check-udp: a UDP service answers, or at least is not refused (UDP_CHECK of keepalived). Knows no schedule.
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { type CheckHost, checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

const options = {
  host: { kind: 'text', required: true, help: 'address or name to send to', example: '127.0.0.1' },
  port: { kind: 'integer', min: 1, max: 65_535, required: true, help: 'UDP port' },
  source: { kind: 'address', help: 'local address to send from' },
  payload: { kind: 'text', default: '', help: 'what to send, as hexadecimal digits', example: '70696e67' },
  require_reply: { kind: 'flag', default: false, help: 'only an answer is good; otherwise silence is, too' },
  min_reply: { kind: 'integer', min: 0, max: 65_507, default: 0, help: 'fewest bytes of an answer' },
  max_reply: { kind: 'integer', min: 0, max: 65_507, default: 65_507, help: 'most bytes of an answer' },
  expect: { kind: 'pattern', help: 'regular expression that the answer must match' },
} as const;

type Values = OptionValues<typeof options>;

export const checkUdp = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'udp',
  help: 'a UDP service answers, or is not refused',
  options,
  validate({ payload, min_reply, max_reply, require_reply, expect }, complain) {
    if (!/^([0-9a-f]{2})*$/i.test(payload))
      complain('payload', `'${payload}' is not made of pairs of hexadecimal digits`, 'write 70696e67 for ping');
    if (min_reply > max_reply) complain('min_reply', `min_reply ${min_reply} is more than max_reply ${max_reply}`);
    if (!require_reply && (min_reply > 0 || expect !== undefined))
      complain('require_reply', 'an answer is looked at only if there is one', 'add require_reply');
  },
  create: (values: Values, { timeout }: CheckHost): HealthCheck => {
    const payload = Buffer.from(values.payload, 'hex');
    const expected = values.expect === undefined ? undefined : new RegExp(values.expect, 'u');
    // Silence is good only when an ICMP error had the time to come.
    const patience = timeout / 1_000 / 2;
    return { probe: (signal) => probe(values, payload, expected, patience, signal) };
  },
});

/** @param patience milliseconds until silence counts as good, where no answer is required */
async function probe(
  values: Values,
  payload: Buffer,
  expected: RegExp | undefined,
  patience: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
  const { address, family } = await Promise.race([lookup(values.host), aborted]);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  let calm: NodeJS.Timeout | undefined;
  try {
    const answered = new Promise<ProbeResult>((resolve) => {
      // Each of them, not the first alone: an error that nobody listens to ends the thread with all its checks.
      socket.on('error', (error: NodeJS.ErrnoException) => resolve({ ok: false, why: error.code ?? error.message }));
      socket.once('message', (answer) => resolve(judge(answer, values, expected)));
      // Without a callback for connect: that is called, too, when there is no way to the address.
      socket.once('connect', () => {
        socket.send(payload);
        if (!values.require_reply) calm = setTimeout(() => resolve({ ok: true, detail: 'not refused' }), patience);
      });
      const begin = () => socket.connect(values.port, address);
      if (values.source === undefined) begin();
      else socket.bind({ address: values.source }, begin);
    });
    return await Promise.race([answered, aborted]);
  } finally {
    clearTimeout(calm);
    socket.close();
  }
}

function judge(answer: Buffer, { min_reply, max_reply }: Values, expected: RegExp | undefined): ProbeResult {
  const { length } = answer;
  if (length < min_reply || length > max_reply) return { ok: false, why: `an answer of ${length} bytes` };
  if (expected === undefined || expected.test(answer.toString('utf8'))) return { ok: true, detail: `${length} bytes` };
  return { ok: false, why: 'the answer is not what is expected' };
}
