// The packet-driven cases of the conformance table against a live daemon in a namespace, by forged packets on the wire.
// Judged by what it says and sends, in order. Lower bounds are exact but for the injector's own jitter, since noise can
// only delay; upper bounds are loose.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { needs } from '../support/needs.ts';
import { type LiveCase, liveCases } from './live-cases.ts';
import { runTable, type Story, WATCHED_MS } from './live-run.ts';

/** Nothing may happen earlier than the protocol says, but for the clocks of two processes, in seconds. */
const EARLY = 0.15;
/** How late a loaded machine may be. */
const LATE = 3;
/** An advert that answers a packet comes well before the next regular one. */
const ANSWER = 0.9;
/** How long a master is watched: until its next regular advert is due. */
const MASTER_WATCHED = 2.5;
/** A VRID that nobody here has is nobody's drop. */
const UNCOUNTED: Readonly<Record<string, true>> = { B30_vrid0: true };

describe('the conformance table, live', needs('root', 'ip'), () => {
  let stories: ReadonlyMap<string, Story>;
  before(async () => {
    stories = await runTable(liveCases);
  });

  for (const each of liveCases)
    test(`${each.id}: ${each.rule}`, () => {
      const story = stories.get(each.id)!;
      try {
        judge(each, story);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${JSON.stringify(story)}`, { cause: error });
      }
    });
});

function judge({ id, given, expect }: LiveCase, story: Story): void {
  const { masterAt, backupAt, adverts, announces, drops } = expect;
  if (given.state === 'MASTER' && masterAt === undefined) {
    assert.deepEqual(story.states, [], 'it stays MASTER');
    assertAdverts(adverts!, story);
    assertAnnouncements(announces!, story);
  } else if (masterAt! * 1_000 > WATCHED_MS - 1_000) {
    assert.deepEqual(story.states, [], 'it is held beyond the watch');
    assert.deepEqual(story.adverts, []);
    const promised = masterAt! * 1_000;
    assert.ok(Math.abs(story.downMs - promised) < 100, `its down timer is ${story.downMs} ms, not ${promised}`);
  } else {
    const turns = backupAt === undefined ? ['MASTER'] : ['BACKUP', 'MASTER'];
    assert.deepEqual(story.states.slice(0, turns.length), turns);
    assertTakeover(masterAt!, story, backupAt);
  }
  assert.deepEqual(story.drops, UNCOUNTED[id] ? {} : (drops ?? {}), 'what it dropped, and why');
}

/** The first own advert (after it yielded) comes when the table says. */
function assertTakeover(at: number, { adverts, late }: Story, backupAt: number | undefined): void {
  const first = adverts.find((advert) => advert.at > (backupAt === undefined ? 0 : backupAt + ANSWER));
  assert.ok(first !== undefined, 'it became MASTER without an advert');
  assert.ok(first.at >= at - EARLY, `MASTER at ${first.at.toFixed(3)} s, not before ${at}`);
  assert.ok(first.at <= at + late + LATE, `MASTER at ${first.at.toFixed(3)} s, much later than ${at}`);
  assert.ok(
    adverts.every(({ priority }) => priority > 0),
    'nobody leaves here',
  );
}

/** Regular adverts on the second, answers right after the packets. */
function assertAdverts(expected: readonly number[], { adverts, late }: Story): void {
  const seen = adverts.map(({ at }) => at).filter((at) => at < MASTER_WATCHED + late);
  assert.ok(seen.length >= expected.length, `${expected.length} adverts expected at ${expected}, seen at ${seen}`);
  for (const [i, at] of expected.entries()) {
    assert.ok(seen[i]! >= at - EARLY, `advert ${i} at ${seen[i]!.toFixed(3)} s, not before ${at}`);
    assert.ok(seen[i]! <= at + late + ANSWER, `advert ${i} at ${seen[i]!.toFixed(3)} s, expected at ${at}`);
  }
  assert.ok(seen.length <= expected.length + 1, `${expected.length} adverts expected at ${expected}, seen at ${seen}`);
}

function assertAnnouncements(expected: number, { announcements, late }: Story): void {
  const seen = announcements.filter((at) => at > 0.01 && at < MASTER_WATCHED + late);
  if (expected === 0) assert.deepEqual(seen, [], 'it announces nothing');
  else assert.ok(seen.length >= expected, `announcements expected ${expected} times, seen at ${seen}`);
}
