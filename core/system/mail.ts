// Mail through nodemailer, which is loaded with the first message: a daemon that sends no mail does not carry it.
import type { Mailer, MailMessage, MailRelay, MailResult } from '../ports/mail.ts';

export class SmtpMailer implements Mailer {
  async send({ host, port, helo, timeout }: MailRelay, message: MailMessage): Promise<MailResult> {
    const limit = Math.max(1, Math.ceil(timeout / 1_000));
    try {
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        host,
        port,
        name: helo,
        connectionTimeout: limit,
        greetingTimeout: limit,
        socketTimeout: limit,
        socketCloseTimeout: 0,
        // keepalived sends in clear text. We encrypt when the relay offers it, but a relay with a certificate that
        // nobody can check, or with a broken one, must still get the alert.
        opportunisticTLS: true,
        tls: { rejectUnauthorized: false },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      const { from, to, subject, text } = message;
      await transport.sendMail({ from, to: [...to], subject, text, xMailer: 'vipkeeper' });
      return { ok: true };
    } catch (error) {
      const { responseCode, message: why } = error as Error & { responseCode?: number };
      return { ok: false, why, permanent: responseCode !== undefined && responseCode >= 500 };
    }
  }
}
