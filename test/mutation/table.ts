// The rules of the protocol, broken one at a time: each row replaces one piece of the sources, and says which rule that
// breaks. A test checks that every text occurs exactly once, so that no row rots (table.test.ts).

export interface Mutation {
  readonly file: string;
  /** Occurs once in the file. */
  readonly text: string;
  readonly replacement: string;
  /** What it breaks, in a person's words. */
  readonly rule: string;
}

const rows =
  (file: string) =>
  (rule: string, text: string, replacement: string): Mutation => ({ file, text, replacement, rule });

const router = rows('core/vrrp/router.ts');
const stage = rows('core/vrrp/stage.ts');
const watch = rows('core/vrrp/watch.ts');
const own = rows('core/vrrp/own-adverts.ts');
const group = rows('core/vrrp/group.ts');
const timers = rows('core/vrrp/timers.ts');
const priority = rows('core/vrrp/priority.ts');
const admission = rows('core/vrrp/admission.ts');
const packet = rows('core/vrrp/packet.ts');
const stamp = rows('core/vrrp/stamp.ts');
const signature = rows('core/vrrp/signature-check.ts');
const header = rows('core/vrrp/authentication-header.ts');
const driver = rows('core/engine/driver.ts');
const engine = rows('core/engine/engine.ts');
const holdings = rows('core/engine/holdings.ts');
const lease = rows('core/engine/lease.ts');
const groups = rows('core/engine/groups.ts');
const crew = rows('core/engine/crew.ts');
const wishes = rows('core/engine/wishes.ts');
const dropLog = rows('core/engine/drop-log.ts');
const config = rows('core/engine/router-config.ts');
const hold = rows('core/engine/start-hold.ts');
const quiet = rows('core/engine/quiet-start.ts');
const conflicts = rows('core/engine/conflict-watch.ts');
const defence = rows('core/vip/conflict-defence.ts');
const rival = rows('core/vip/rival.ts');
const deaf = rows('core/engine/deaf-peers.ts');
const sleep = rows('core/engine/sleep-watch.ts');
const delays = rows('core/engine/link-delays.ts');
const routes = rows('core/engine/route-watch.ts');
const paced = rows('core/engine/paced-frames.ts');
const bfd = rows('core/bfd/session.ts');
const check = rows('core/checks/check-run.ts');
const rounds = rows('core/checks/rounds.ts');
const checks = rows('core/config/checks.ts');

export const MUTATIONS: readonly Mutation[] = [
  router(
    'equal priorities are decided by address',
    'compareIp(from, this.#stage.source) > 0',
    'compareIp(from, this.#stage.source) < 0',
  ),
  router('a higher priority wins', 'ad.priority > this.#stage.priority;', 'ad.priority > this.#stage.priority + 1;'),
  router(
    'a losing advert is answered at once',
    'if (this.#stage.config.answerLowerPriority && this.#stage.adverts.mayAnswer(now)) this.#stage.advertise();',
    '',
  ),
  router(
    'a winner announces its addresses again',
    "this.#stage.emit({ type: 'announce' });",
    'this.#stage.hears(now);',
  ),
  router(
    'a loser says one last word',
    'if (this.#stage.config.advertiseBeforeYielding && !this.#stage.resigned) this.#stage.advertise();',
    '',
  ),
  router('a stop says goodbye', 'this.#stage.sayGoodbye(); // RFC 9568 §6.4.3', ''),
  router('a fault says goodbye', "case 'fault':\n        this.#stage.sayGoodbye();", "case 'fault':"),
  router(
    'a goodbye shortens the wait to the skew',
    'this.#stage.watch.resign();\n      this.#stage.hasten(after(now, this.skew));',
    'this.#stage.watch.resign();',
  ),
  router(
    'the goodbye of another one is not heeded',
    'if (this.masterSource !== undefined && this.masterSource !== from) {',
    'if (this.masterSource === from && ad.priority > 0) {',
  ),
  router(
    'an advert restarts the down timer',
    'this.#stage.ready = false;\n    this.#stage.deadline = after(now, this.downInterval);',
    'this.#stage.ready = false;',
  ),
  router(
    'an advert ends the readiness of a group member',
    'this.#stage.follow(from, ad, now);\n    this.#stage.ready = false;',
    'this.#stage.follow(from, ad, now);',
  ),
  router('a group member waits for its group', 'this.#stage.ready = true;', 'this.#stage.ready = false;'),
  router(
    'adverts keep to their schedule',
    'nextOnSchedule(this.#stage.deadline!, this.#stage.config.interval, now)',
    'after(now, this.#stage.config.interval)',
  ),
  router(
    'a backup takes over from a master that fell below it',
    'this.#stage.config.fastHandover !== false &&',
    'this.#stage.config.fastHandover === false &&',
  ),
  router(
    'a new priority is told at once',
    "if (this.state !== 'MASTER') return;\n    this.#stage.advertise();",
    "if (this.state !== 'MASTER') return;",
  ),
  router(
    'a new priority moves the down timer',
    "if (this.state === 'BACKUP') this.#stage.shift(micros(this.skew - before));",
    '',
  ),
  router(
    'an owner is MASTER at once',
    'if (owner && !this.#stage.config.grouped) {',
    'if (owner && this.#stage.config.grouped) {',
  ),
  router(
    'trackers do not touch an owner',
    'if (this.#stage.config.priority !== OWNER) this.#changePriority',
    'this.#changePriority',
  ),
  router(
    'a successor is heard by its advert, not by a goodbye',
    'if (event.ad.priority !== LEAVING) this.#stage.becomeInit',
    'this.#stage.becomeInit',
  ),
  router(
    'a stop waits for the successor',
    'if (this.#stage.config.makeBeforeBreak && !event.immediate)',
    'if (this.#stage.config.makeBeforeBreak && event.immediate)',
  ),
  router(
    'an early timer does nothing',
    'if (this.deadline !== undefined && this.deadline <= now) this.#dispatch(event, now);',
    'this.#dispatch(event, now);',
  ),
  stage('a new master binds its addresses', "this.emit({ type: 'own' });", ''),
  stage('who leaves MASTER lets its addresses go', "if (this.holds) this.emit({ type: 'disown' });", ''),
  stage('a takeover begins with an advert', 'this.adverts.begin();\n    this.advertise();', 'this.adverts.begin();'),
  stage(
    'a deadline is only ever hastened',
    'if (this.deadline !== undefined && deadline < this.deadline) this.deadline = deadline;',
    'this.deadline = deadline;',
  ),
  stage(
    'a BACKUP listens for a whole down timer',
    "this.#enter('BACKUP', after(now, this.downInterval), why, detail);",
    "this.#enter('BACKUP', after(now, this.skew), why, detail);",
  ),
  stage(
    'silence on a deaf port proves nothing',
    'if (this.deadline < this.#deafUntil) this.deadline = this.#deafUntil;',
    '',
  ),
  watch('nopreempt heeds everybody', 'if (!preempt) return true;', ''),
  watch('an equal priority is heeded', 'if (ad.priority >= own) {', 'if (ad.priority > own) {'),
  watch('preempt_delay tolerates a lower master', 'return now < this.#tolerateUntil;', 'return false;'),
  watch(
    'preempt_delay ends',
    'this.#tolerateUntil ??= after(now, preemptDelay);',
    'this.#tolerateUntil = after(now, preemptDelay);',
  ),
  watch(
    'the interval of a v3 master is learned',
    'if (version === 2 || this.#master === undefined) return interval;',
    'return interval;',
  ),
  watch(
    'a learned interval has a limit',
    'this.#master.interval < maxMasterInterval ? this.#master.interval : maxMasterInterval',
    'this.#master.interval',
  ),
  watch('the last word of one who yields does not make it the master', 'if (speaks && isBetter) return false;', ''),
  watch(
    'who always was lower has not fallen',
    'this.#peak === undefined || priority >= this.#peak',
    'this.#peak === undefined',
  ),
  own('a goodbye has priority 0', 'advert(config, LEAVING)', 'advert(config, config.priority)'),
  own('answers are rationed', 'between(this.#lastAnswer, now) < pause', 'between(this.#lastAnswer, now) < 0'),
  own('no burst after a delay', 'Math.floor(between(due, now) / interval) + 1', '1'),
  group(
    'a group is MASTER only when all are ready',
    "standings.every((each) => each === 'READY' || each === 'MASTER')",
    "standings.some((each) => each === 'READY' || each === 'MASTER')",
  ),
  group("one member's defeat is all members'", "return this.#order('MASTER', 'BACKUP');", 'return NO_ORDERS;'),
  group(
    "one member's fault is all members'",
    "if (standing === 'FAULT' || standing === 'LEAVING' || standing === 'INIT') continue;",
    "if (standing !== 'INIT') continue;",
  ),
  group(
    'nobody of a group recovers alone',
    'if (!this.#faults.delete(member) || this.#faults.size > 0) return NO_ORDERS;',
    'if (!this.#faults.delete(member)) return NO_ORDERS;',
  ),
  timers('the skew falls with the priority', '(256 - priority)', '(priority)'),
  timers('the skew of v2 is of a second', 'version === 2 ? seconds(1) : interval', 'interval'),
  timers('so many adverts may be missed', 'input.adverts * input.interval', '(input.adverts - 1) * input.interval'),
  priority('no tracker makes an owner', 'Math.min(254,', 'Math.min(255,'),
  priority('no tracker says goodbye', 'Math.max(1, base', 'Math.max(0, base'),
  admission(
    'multicast adverts have crossed no router',
    'return ttl === UNTOUCHED_TTL ? undefined',
    'return ttl > 0 ? undefined',
  ),
  admission("one's own address is refused", "if (source === here.source) return 'source-own';", ''),
  admission('impossible sources are refused', "if (!canBeSource(source)) return 'source-illegal';", ''),
  admission(
    'unicast comes from peers',
    "if (peer === undefined) return rules.onlyPeers ? 'source-unknown' : undefined;",
    'if (peer === undefined) return undefined;',
  ),
  admission(
    'a v2 interval must be the same',
    "if (ad.version === 2 && ad.interval !== rules.interval) return 'interval-mismatch';",
    '',
  ),
  admission('the version must be the same', "if (ad.version !== rules.version) return 'version';", ''),
  admission(
    'a wrong password is refused',
    "authData !== undefined && startsEqual(rules.authData, authData) ? undefined : 'auth-failure'",
    "authData !== undefined ? undefined : 'auth-failure'",
  ),
  admission('the kind of authentication must be the same', "return 'auth-mismatch';", 'return undefined;'),
  packet('a wrong checksum is refused', "if (checksumForm === undefined) return 'checksum';", ''),
  packet('an interval of 0 is refused', "if (interval === 0) return 'interval-zero'; // erratum 8301", ''),
  packet('another type is refused', "!== TYPE_ADVERTISEMENT) return 'type';", "=== 0) return 'type';"),
  stamp('a replay is refused', 'mark === undefined || isAfter(stamp, mark)', 'mark === undefined || true'),
  signature('a stale signature is refused', "> timeWindow) return 'hmac-stale';", "< 0) return 'hmac-stale';"),
  signature('an advert must be signed', "mode === 'enforce' ? 'hmac-missing' : undefined", 'undefined'),
  signature('a signature must be right', "if (!isSigned(signed, source, mac)) return 'hmac-bad';", ''),
  header('AH refuses replays', 'return sequence > this.#heard && sequence >= this.#sent;', 'return true;'),
  driver(
    'a stalled master listens before it speaks',
    'return between(this.#lastSent, now) + slept > this.#config.downTimerAdverts * this.#config.interval;',
    'return between(this.#lastSent, now) + slept < 0;',
  ),
  driver('lifetimes are renewed', 'if (now >= after(this.#lastRenewed, RENEW_EVERY)) this.#renew(now);', ''),
  driver(
    'addresses end soon after their process',
    'Math.floor(this.router.downInterval / seconds(1) + LATEST_EXPIRY)',
    'Math.floor(this.router.downInterval / seconds(1) + 60)',
  ),
  driver(
    'an advert counts from its arrival',
    'const arrival = datagram.arrival < now ? datagram.arrival : now;',
    'const arrival = now;',
  ),
  driver('a new master announces its addresses', 'this.#host.announce(this, this.#config.announce.masterRepeat);', ''),
  driver('faults and weights of trackers count', '...(this.#verdict?.faults ?? []),', ''),
  engine(
    'after a pause everything is heard before deadlines act',
    'more && late && batches < MOST_BATCHES',
    'more && late && batches < 0',
  ),
  engine('who overslept lets go first', 'if (overslept) this.#wakeLate(now, late, slept);', ''),
  engine('the engine fences itself without its agent', 'if (!this.#fenced && lease.end <= now) this.#fence(now);', ''),
  engine(
    'a resume has to know the fence',
    'if (this.#fenced && command.epoch === this.#fenceEpoch) this.#resume(now);',
    'if (this.#fenced && command.epoch < 0) this.#resume(now);',
  ),
  engine('what others remove is put back', 'this.#wishes.holdings.repair(changes.removed, indexOf);', ''),
  engine(
    'an overrun of notices is made up for',
    'for (const driver of this.#crew) this.#wishes.holdings.renew(driver);',
    '',
  ),
  holdings(
    'a disowned address is removed',
    'if (leaving.length > 0) this.#report(this.#provider.unbind(leaving));',
    '',
  ),
  holdings('who lets go announces nothing any more', "if (wish === 'disown') this.#bursts.delete(driver);", ''),
  holdings('only holders renew', '[...this.#renewals].filter((driver) => driver.holds)', '[...this.#renewals]'),
  holdings(
    'addresses that a reload takes away are removed',
    'if (dropped.length > 0) this.#report',
    'if (dropped.length > 99) this.#report',
  ),
  lease(
    'a stall of all is not the fault of the agent',
    'Math.max(this.#beats[LEASE_AGENT_BEAT]!, this.#excusedUntil)',
    'this.#beats[LEASE_AGENT_BEAT]!',
  ),
  groups('a member that did something is reported', 'this.#obey(entry, report(entry, driver), now);', 'entry.state;'),
  crew('what an earlier life left is removed', 'this.#io.holdings.clear(guests.flatMap(({ vips }) => vips));', ''),
  crew(
    'an owner that is master keeps what it has',
    'driver.config.priority === OWNER && !driver.holds',
    'driver.config.priority === OWNER',
  ),
  wishes(
    'a whole group announces again',
    'for (const each of groups.companions(driver)) {',
    'for (const each of [driver]) {',
  ),
  config(
    'a learned interval is limited to ten of our own',
    'const MAX_LEARNED_INTERVALS = 10;',
    'const MAX_LEARNED_INTERVALS = 10_000;',
  ),
  dropLog('a cause is told once a minute', 'if (now < known.until) return 0;', ''),
  hold(
    'the port of a machine that has just booted may be deaf',
    'if (age !== undefined && age < BOOTING && watched.ifindex !== undefined) this.#hold(name, watched, now);',
    '',
  ),
  hold("one's own frames prove nothing", 'formatMac(frame, SOURCE) !== own', "formatMac(frame, SOURCE) !== ''"),
  hold('a port that comes back may be deaf', 'if (ifindex !== undefined) this.#hold(name, watched, now);', ''),
  quiet('a reload delays nobody', 'if (this.#configured) return;', ''),
  conflicts('a frame of this machine is no claim', ' || this.#isOwn(device, claim.mac)', ''),
  conflicts(
    'who is no longer master neither asks nor answers',
    "      if (driver.router.state !== 'MASTER') {\n        rival.forget();\n        defence.forget();\n      }\n",
    '',
  ),
  conflicts(
    'lower_prio_repeat 0 leaves claims unanswered',
    'if (driver.config.announce.lowerPrioRepeat <= 0) return;',
    '',
  ),
  defence('the adverts of a new master are awaited', 'seconds(2)', 'seconds(0)'),
  rival('a rival that answers is there', 'this.#unanswered = 0;\n    if', 'if'),
  rival('a rival that does not answer is gone', 'const UNANSWERED = 2;', 'const UNANSWERED = 200;'),
  defence('the last word of a quarrel is ours', 'this.#due = true;', ''),
  deaf('a rival has time to yield', 'const PATIENCE = 4;', 'const PATIENCE = 1;'),
  deaf(
    'a peer found deaf stays so',
    'if (!this.has(driver)) this.#heard.delete(driver);',
    'this.#heard.delete(driver);',
  ),
  sleep('a sleep is counted once', 'this.#total = total;', ''),
  delays(
    'a link that comes back in time has not failed',
    'if (link === undefined) delayed.running = false;\n      delayed.changeAt = undefined;',
    'if (link === undefined) delayed.running = false;',
  ),
  routes('who lost a route keeps away for a while', 'if (until > now) continue;', ''),
  paced('announcements keep their gap', 'lane.next = after(now, lane.gap);', ''),
  paced('what waits for an address that was let go is forgotten', 'waiting.splice(i, 1)', 'waiting.at(i)'),
  bfd(
    'Init ends by silence, too',
    "if (this.#state === 'Init' || this.#state === 'Up') this.#become",
    "if (this.#state === 'Up') this.#become",
  ),
  bfd(
    'a neighbour that is down brings the session down',
    "if (remote === 'Down' || remote === 'AdminDown')",
    "if (remote === 'AdminDown')",
  ),
  bfd(
    'nobody is fast before the session is up',
    'const SLOWEST_START = seconds(1);',
    'const SLOWEST_START = micros(1);',
  ),
  bfd(
    'less patience holds only when the neighbour has agreed',
    'up ? micros(Math.max(this.#actualMinReceive, required)) : required',
    'required',
  ),
  bfd('a poll is answered', 'if (packet.poll) this.#effects.push(SEND_FINAL);', ''),
  check(
    'no two probes of a check at once',
    'else if (ends) probe.awaited = true;\n    else this.#skip(probe);',
    'else this.#begin(now);',
  ),
  check('missed probes are not made up for', 'interval * (missed + 1)', 'interval'),
  check('a check that is gone tells nothing', 'if (this.#closed) return;', ''),
  rounds('equal checks go on undisturbed', 'old?.able && isSame(old.plan, plan)', 'old?.able && old.plan === plan'),
  checks(
    'no limit is longer than the interval',
    'if (found.value <= interval) return found.value;',
    'return found.value;',
  ),
  checks('no check depends on itself', '!reachesItself(name, checks)', 'true'),
  checks('all means all', 'common.all ? parts.length :', 'common.all ? 1 :'),
  checks('checks of checks are only so deep', 'depth <= DEEPEST', 'depth <= 100'),
];
