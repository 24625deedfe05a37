// check-smtp: a mail server greets and takes EHLO, over TLS where asked for (SMTP_CHECK of keepalived). Sends no mail.
import { readFileSync } from 'node:fs';
import { isIP, connect as plain, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { rootCertificates, connect as secured } from 'node:tls';
import { checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';
import { tlsFailure, tlsOptions } from '../../core/plugin/tls-options.ts';

/** RFC 5321 §4.5.3.1.5 allows 512 bytes a line; an answer that is longer than this is none. */
const LONGEST_ANSWER = 8 * 1024;

const options = {
  host: { kind: 'text', required: true, help: 'address or name to connect to', example: '127.0.0.1' },
  port: { kind: 'integer', min: 1, max: 65_535, default: 25, help: 'TCP port' },
  source: { kind: 'address', help: 'local address to connect from' },
  helo_name: { kind: 'text', help: 'our name in EHLO; default: the host name' },
  tls: { kind: 'choice', choices: ['none', 'starttls', 'implicit'], default: 'none', help: 'how TLS begins' },
  ...tlsOptions,
} as const;

type Values = OptionValues<typeof options>;

interface Trust {
  readonly rejectUnauthorized: boolean;
  readonly servername?: string;
  readonly ca?: string[];
}

export const checkSmtp = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'smtp',
  help: 'a mail server greets and takes EHLO',
  options,
  validate({ helo_name, tls, ca, sni }, complain) {
    if (helo_name !== undefined && /[\s\p{Cc}]/u.test(helo_name)) complain('helo_name', 'it must be one word');
    if (tls === 'none' && (ca !== undefined || sni !== undefined))
      complain('tls', 'ca and sni have no meaning without TLS', 'write tls starttls or tls implicit');
  },
  create: (values: Values): HealthCheck => {
    const { host, sni, verify, ca } = values;
    const name = sni ?? (isIP(host) === 0 ? host : undefined);
    const trust: Trust = {
      rejectUnauthorized: verify,
      ...(name !== undefined && { servername: name }),
      ...(ca !== undefined && { ca: [...rootCertificates, readFileSync(ca, 'utf8')] }),
    };
    return { probe: (signal) => probe(values, trust, signal) };
  },
});

async function probe(values: Values, trust: Trust, signal: AbortSignal): Promise<ProbeResult> {
  const { host, port, source, tls, helo_name: helo = hostname() } = values;
  // Half open: what Node shuts down by itself when the peer ends it cannot reset any more, and the descriptor stays.
  const allowHalfOpen = true;
  const socket = plain({
    host,
    port,
    noDelay: true,
    allowHalfOpen,
    ...(source !== undefined && { localAddress: source }),
  });
  let above: Socket | undefined;
  const free = (): void => {
    // A reset leaves no TIME_WAIT behind: a check every second must not fill the table of ports. Node puts it off while
    // the socket is connecting, perhaps for ever.
    if (socket.connecting || socket.destroyed) socket.destroy();
    else socket.resetAndDestroy();
    above?.destroy();
  };
  signal.addEventListener('abort', free, { once: true });
  try {
    await connected(socket);
    // Without a name to ask for, the certificate must be for the address.
    const secure = (): Conversation => {
      above = secured({ socket, host, ...trust });
      return new Conversation(above);
    };
    let talk = tls === 'implicit' ? secure() : new Conversation(socket);
    await talk.expect(220, 'greeting');
    await talk.say(`EHLO ${helo}`, 250);
    if (tls === 'starttls') {
      await talk.say('STARTTLS', 220);
      talk.release();
      talk = secure();
      await talk.say(`EHLO ${helo}`, 250);
    }
    await talk.say('QUIT', 221);
    return { ok: true };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { ok: false, why: tlsFailure(code) ?? code ?? message };
  } finally {
    signal.removeEventListener('abort', free);
    free();
  }
}

/** Rejected when there will be no connection. Later errors of the socket reach whoever talks over it. */
const connected = (socket: Socket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection broke off')));
    socket.once('connect', resolve);
  });

/** Lines to and from a server. Each promise is rejected when the connection ends. */
class Conversation {
  readonly #socket: Socket;
  #text = '';
  #wake: () => void = () => {};
  #failure: Error | undefined;
  readonly #onData = (data: Buffer): void => {
    this.#text += data.toString('latin1');
    if (this.#text.length > LONGEST_ANSWER) this.#fail(new Error('an answer without end'));
    this.#wake();
  };
  readonly #onError = (error: Error): void => this.#fail(error);
  readonly #onClose = (): void => this.#fail(new Error('the connection broke off'));

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData).on('error', this.#onError).on('close', this.#onClose).on('end', this.#onClose);
  }

  async say(line: string, code: number): Promise<void> {
    this.#socket.write(`${line}\r\n`);
    await this.expect(code, line.split(' ', 1)[0]!);
  }

  /** The last line of an answer has a space after its code (RFC 5321 §4.2.1). @throws Error for another code */
  async expect(code: number, what: string): Promise<void> {
    for (;;) {
      const last = /(?:^|\n)(\d{3})(?: ([^\r\n]*))?\r?\n$/.exec(this.#text);
      if (last) {
        this.#text = '';
        if (Number(last[1]) === code) return;
        throw new Error(`${what}: ${last[1]} ${last[2] ?? ''}`.trim());
      }
      if (this.#text.includes('\n') && !/^\d{3}[ -]/.test(this.#text)) throw new Error('no SMTP is spoken there');
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Leaves the socket to TLS above it. */
  release(): void {
    this.#socket
      .off('data', this.#onData)
      .off('error', this.#onError)
      .off('close', this.#onClose)
      .off('end', this.#onClose);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}
