// What the agent needs to send mail. Interfaces only; core/system/mail.ts speaks SMTP.
import type { Micros } from '../units.ts';

export interface MailRelay {
  readonly host: string;
  readonly port: number;
  /** Our name in HELO. */
  readonly helo: string;
  /** For the connection, and for each silence of the server afterwards. */
  readonly timeout: Micros;
}

export interface MailMessage {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

/** `permanent`: sending the same again will fail the same way (SMTP 5xx). */
export type MailResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly why: string; readonly permanent: boolean };

export interface Mailer {
  /** Fulfilled when the server has taken the message or will not; never rejected. */
  send(relay: MailRelay, message: MailMessage): Promise<MailResult>;
}
