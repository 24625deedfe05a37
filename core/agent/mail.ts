// Mails changes of state (smtp_alert): under keepalived's subjects, never twice for the same state, one message at a
// time, with a bounded queue and few retries. Knows nothing of SMTP.
import type { Configuration, MailConfig } from '../config/model.ts';
import type { Mailer, MailMessage, MailRelay } from '../ports/mail.ts';
import type { Timing } from '../ports/process.ts';
import { after, type Micros, seconds } from '../units.ts';
import { keyOf, type Notice, type NoticeSink } from './events.ts';
import type { Logger } from './log.ts';
import type { VettedCommands } from './script-security.ts';

export interface MailOptions {
  readonly mailer: Mailer;
  readonly timing: Timing;
  readonly logger: Logger;
}

/** Messages that wait; beyond them the oldest is dropped. */
export const MAIL_LIMIT = 64;
/** Pauses before the second and each further attempt. */
const PAUSES: readonly Micros[] = [seconds(5), seconds(30), seconds(120)];

type MailedState = 'MASTER' | 'BACKUP' | 'FAULT';

const MEANING: Readonly<Record<Notice['kind'], Readonly<Record<MailedState, string>>>> = {
  INSTANCE: {
    MASTER: 'The instance owns its virtual addresses now.',
    BACKUP: 'The instance does not own its virtual addresses any more.',
    FAULT: 'The instance does not own its virtual addresses any more, and cannot take them.',
  },
  GROUP: {
    MASTER: 'All instances of the group are in MASTER state now.',
    BACKUP: 'All instances of the group are in BACKUP state now.',
    FAULT: 'All instances of the group are in FAULT state now.',
  },
};

interface Letter {
  readonly relay: MailRelay;
  readonly message: MailMessage;
}

export class MailNotifier implements NoticeSink {
  readonly #options: MailOptions;
  readonly #queue: Letter[] = [];
  /** The state in the latest mail about somebody. */
  readonly #mailed = new Map<string, MailedState>();
  readonly #ended = Promise.withResolvers<void>();
  #working: Promise<void> | undefined;
  #over = false;
  #routerId = '';
  #mail: MailConfig | undefined;
  /** Who is mailed about. */
  #wanted: ReadonlySet<string> = new Set();

  constructor(options: MailOptions) {
    this.#options = options;
  }

  configure(
    { globals, instances, groups }: Pick<Configuration, 'globals' | 'instances' | 'groups'>,
    _vetted?: VettedCommands,
    removed: readonly string[] = [],
  ): void {
    const { mail, routerId } = globals;
    const before = this.#wanted;
    this.#mail = mail;
    this.#routerId = routerId;
    const named = (kind: Notice['kind'], list: typeof instances | typeof groups) =>
      list
        .filter(({ notify }) => notify.smtpAlert ?? mail?.alertVrrp ?? false)
        .map(({ name }): string => keyOf(kind, name));
    const leaving = removed.map((name) => keyOf('INSTANCE', name)).filter((key) => before.has(key));
    this.#wanted = new Set([...named('INSTANCE', instances), ...named('GROUP', groups), ...leaving]);
  }

  notify(notice: Notice): void {
    const { state } = notice;
    if (this.#over || this.#mail?.server === undefined || this.#mail.to.length === 0) return;
    if (state !== 'MASTER' && state !== 'BACKUP' && state !== 'FAULT') return; // as keepalived: no mail about the end
    if (state === 'FAULT' && this.#mail.noFaults) return;
    const key = keyOf(notice.kind, notice.name);
    // Everybody begins as BACKUP, which keepalived does not mail either.
    if (!this.#wanted.has(key) || (this.#mailed.get(key) ?? 'BACKUP') === state) return;
    this.#mailed.set(key, state);
    this.#queue.push(this.#letter(notice, state, this.#mail, this.#mail.server));
    if (this.#queue.length > MAIL_LIMIT) {
      this.#queue.shift();
      const why = `more than ${MAIL_LIMIT} messages are waiting; the newest are kept`;
      this.#options.logger.limited('mail-queue', 'warning', 'mail-dropped', { why });
    }
    this.#working ??= this.#work();
  }

  /** Messages that are not sent yet. */
  get pending(): number {
    return this.#queue.length;
  }

  async drain(timeout: Micros): Promise<void> {
    const { timing, logger } = this.#options;
    const late = Promise.withResolvers<void>();
    const cancel = timing.setTimer(after(timing.now(), timeout), late.resolve);
    await Promise.race([this.#working, late.promise]);
    cancel();
    this.#over = true;
    this.#ended.resolve();
    if (this.#queue.length > 0) logger.log('warning', 'mail-dropped', { messages: this.#queue.length, why: 'the end' });
    this.#queue.length = 0;
  }

  #letter(notice: Notice, state: MailedState, mail: MailConfig, server: { host: string; port: number }): Letter {
    const what = `VRRP ${notice.kind === 'GROUP' ? 'Group' : 'Instance'} ${notice.name}`;
    const facts = [
      `state:    ${state} (before: ${notice.previous})`,
      `reason:   ${notice.reason}`,
      ...(notice.kind === 'INSTANCE' ? [`priority: ${notice.priority}`] : []),
      ...(notice.peer === undefined ? [] : [`peer:     ${notice.peer}`]),
      `time:     ${new Date(this.#options.timing.wallTime()).toISOString()}`,
    ];
    return {
      relay: { ...server, helo: mail.helo, timeout: mail.connectTimeout },
      message: {
        from: mail.from,
        to: mail.to,
        subject: `[${this.#routerId}] ${what} - Entering ${state} state`,
        text: `${MEANING[notice.kind][state]}\n\n${facts.join('\n')}\n`,
      },
    };
  }

  async #work(): Promise<void> {
    for (let letter = this.#queue[0]; letter !== undefined && !this.#over; letter = this.#queue[0]) {
      await this.#deliver(letter);
      if (this.#queue[0] === letter) this.#queue.shift();
    }
    this.#working = undefined;
  }

  async #deliver({ relay, message }: Letter): Promise<void> {
    const { mailer, logger } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const result = await mailer.send(relay, message);
      if (result.ok || this.#over) return;
      const pause = result.permanent ? undefined : PAUSES[attempt];
      const effect = pause === undefined ? 'given up' : `tried again in ${pause / 1_000_000}s`;
      logger.log('warning', 'mail-failed', { subject: message.subject, server: relay.host, why: result.why, effect });
      if (pause === undefined) return;
      await this.#pause(pause);
      if (this.#over) return;
    }
  }

  async #pause(duration: Micros): Promise<void> {
    const { timing } = this.#options;
    const over = Promise.withResolvers<void>();
    const cancel = timing.setTimer(after(timing.now(), duration), over.resolve);
    await Promise.race([over.promise, this.#ended.promise]);
    cancel();
  }
}
