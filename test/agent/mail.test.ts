import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notice } from '../../core/agent/events.ts';
import { Log } from '../../core/agent/log.ts';
import { MAIL_LIMIT, MailNotifier } from '../../core/agent/mail.ts';
import type { MailConfig } from '../../core/config/model.ts';
import type { MailMessage, MailRelay, MailResult } from '../../core/ports/mail.ts';
import { seconds } from '../../core/units.ts';
import { globals, group, instance } from './sample-config.ts';
import { VirtualTime } from './virtual-time.ts';

const MAIL: MailConfig = {
  server: { host: 'relay.example.com', port: 25 },
  from: 'vk@example.com',
  to: ['admin@example.com'],
  helo: 'r1.example.com',
  connectTimeout: seconds(30),
  alertVrrp: true,
  alertChecker: false,
  noFaults: false,
  noCheckers: false,
};

function lab(changes: Partial<MailConfig> = {}, answer: (attempt: number) => MailResult = () => ({ ok: true })) {
  const time = new VirtualTime();
  const lines: string[] = [];
  const logger = new Log({ sink: (line) => lines.push(line), now: () => time.wallTime(), timestamps: false });
  const sent: { relay: MailRelay; message: MailMessage; at: number }[] = [];
  const mailer = {
    send: async (relay: MailRelay, message: MailMessage) => {
      sent.push({ relay, message, at: time.now() / 1_000_000 });
      return answer(sent.length);
    },
  };
  const mail = new MailNotifier({ mailer, timing: time, logger });
  mail.configure({
    globals: { ...globals(), routerId: 'r1', mail: { ...MAIL, ...changes } },
    instances: [instance('V1'), instance('V2', { notify: { smtpAlert: false } })],
    groups: [group('G', ['V1'])],
  });
  const tell = (state: Notice['state'], more: Partial<Notice> = {}): void =>
    mail.notify({ kind: 'INSTANCE', name: 'V1', state, previous: 'BACKUP', reason: 'fault', priority: 100, ...more });
  const subjects = (): string[] => sent.map(({ message }) => message.subject);
  return { time, lines, sent, mail, tell, subjects };
}

const BUSY: MailResult = { ok: false, why: '451 busy', permanent: false };
const REFUSED: MailResult = { ok: false, why: '550 nobody here', permanent: true };

test("subjects are keepalived's, for instances and for groups", async () => {
  const { time, tell, subjects, sent } = lab();
  tell('MASTER', { peer: '192.0.2.2' as never });
  tell('MASTER', { kind: 'GROUP', name: 'G', priority: 0 });
  tell('FAULT');
  await time.advance(seconds(1));
  assert.deepEqual(subjects(), [
    '[r1] VRRP Instance V1 - Entering MASTER state',
    '[r1] VRRP Group G - Entering MASTER state',
    '[r1] VRRP Instance V1 - Entering FAULT state',
  ]);
  assert.deepEqual(sent[0]?.relay, {
    host: 'relay.example.com',
    port: 25,
    helo: 'r1.example.com',
    timeout: seconds(30),
  });
  assert.match(sent[0]?.message.text ?? '', /owns its virtual addresses now\..*peer: {5}192\.0\.2\.2/s);
});

test('never twice for the same state, not for the first BACKUP, and not for what is no state', async () => {
  const { time, tell, subjects } = lab();
  for (const state of ['BACKUP', 'MASTER', 'MASTER', 'BACKUP', 'STOP', 'DELETED', 'MASTER_PRIORITY'] as const)
    tell(state);
  await time.advance(seconds(1));
  assert.deepEqual(subjects(), [
    '[r1] VRRP Instance V1 - Entering MASTER state',
    '[r1] VRRP Instance V1 - Entering BACKUP state',
  ]);
});

for (const [why, changes, name] of [
  ['smtp_alert off', {}, 'V2'],
  ['no server', { server: undefined }, 'V1'],
  ['nobody to send to', { to: [] }, 'V1'],
  ['alerts off', { alertVrrp: false }, 'V1'],
  ['no_email_faults', { noFaults: true }, 'V1'],
] as const)
  test(`no mail: ${why}`, async () => {
    const { time, tell, sent } = lab(changes);
    tell('FAULT', { name });
    await time.advance(seconds(1));
    assert.deepEqual(sent, []);
  });

test('a relay that is busy is asked again, three times at most, and the next message is not forgotten', async () => {
  const { time, tell, sent, lines } = lab({}, (attempt) => (attempt <= 4 ? BUSY : { ok: true }));
  tell('MASTER');
  tell('FAULT');
  await time.advance(seconds(600));
  assert.deepEqual(
    sent.map(({ at, message }) => `${at} ${message.subject.split(' ').at(-2)}`),
    ['0 MASTER', '5 MASTER', '35 MASTER', '155 MASTER', '155 FAULT'],
  );
  assert.equal(lines.length, 4);
  assert.match(lines[3] ?? '', /effect="given up"/);
});

test('a refusal for good is not repeated', async () => {
  const { time, tell, sent } = lab({}, () => REFUSED);
  tell('MASTER');
  await time.advance(seconds(600));
  assert.equal(sent.length, 1);
});

test('the queue is bounded: the newest are kept', async () => {
  const { time, tell, mail, sent } = lab({}, (attempt) => (attempt === 1 ? BUSY : { ok: true }));
  for (let i = 0; i < MAIL_LIMIT; i++) {
    tell('MASTER');
    tell('FAULT');
  }
  assert.equal(mail.pending, MAIL_LIMIT);
  await time.advance(seconds(10));
  assert.equal(mail.pending, 0);
  assert.match(sent.at(-1)?.message.subject ?? '', /FAULT/);
});

test('the end waits for what is under way, but not for ever', async () => {
  const { time, tell, mail, sent, lines } = lab({}, () => BUSY);
  tell('MASTER');
  const drained = mail.drain(seconds(3));
  await time.advance(seconds(10));
  await drained;
  tell('FAULT');
  await time.advance(seconds(60));
  assert.equal(sent.length, 1);
  assert.ok(lines.some((line) => line.includes('mail-dropped messages=1')));
  assert.equal(time.timers, 0);
});
