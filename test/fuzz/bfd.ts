// Fuzzes BFD: a session is fed whatever the decoder lets through of random, damaged and plausible packets, with time
// going on in between. It must never fail, never send faster than it may, never wait for a time that does not come.
//
//   node test/fuzz/bfd.ts --seconds 60             from a seed of the clock, which is printed
//   node test/fuzz/bfd.ts --seed 7 --runs 1        one run again; a failure prints this line
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { decode, emptyPacket, encode, PACKET_LENGTH } from '../../core/bfd/packet.ts';
import { BfdSession } from '../../core/bfd/session.ts';
import { STATES } from '../../core/bfd/types.ts';
import { type Draw, randomFrom } from '../../core/config/source-random.ts';
import { after, type Instant, instant, micros, millis, seconds } from '../../core/units.ts';

const STEPS = 60;

function packetOf(draw: Draw, yours: number): Uint8Array {
  const bytes = new Uint8Array(PACKET_LENGTH + draw(3));
  const word = () => [0, 1, 10_000, 1_000_000, 0xffff_ffff, draw(0x1_0000_0000)][draw(6)]!;
  encode(
    {
      diagnostic: draw(32),
      state: STATES[draw(4)]!,
      poll: draw(2) === 0,
      final: draw(2) === 0,
      demand: draw(4) === 0,
      detectMultiplier: [1, 3, 255, draw(256)][draw(4)]!,
      myDiscriminator: draw(3) + 1,
      yourDiscriminator: draw(3) === 0 ? 0 : yours,
      desiredMinTransmit: micros(word()),
      requiredMinReceive: micros(word()),
      requiredMinEchoReceive: micros(word()),
    },
    bytes,
  );
  for (let damage = draw(4) === 0 ? draw(4) : 0; damage > 0; damage--) bytes[draw(bytes.length)] = draw(256);
  return bytes.subarray(0, draw(16) === 0 ? draw(bytes.length) : bytes.length);
}

/** One life of a session. @throws Error when it does what it must not */
export function live(seed: number): void {
  const draw = randomFrom(seed);
  const parameters = {
    minTransmit: millis(1 + draw(50)),
    minReceive: millis(1 + draw(50)),
    idleTransmit: seconds(draw(3)),
    multiplier: 1 + draw(255),
    passive: draw(4) === 0,
  };
  const session = new BfdSession(7, parameters, () => draw(1_000) / 1_000);
  const packet = emptyPacket();
  let now: Instant = instant(1e9);
  let last: Instant | undefined;
  session.handle({ type: 'start' }, now);
  for (let step = 0; step < STEPS; step++) {
    const deadline = session.deadline;
    assert.ok(deadline === undefined || Number.isFinite(deadline), `deadline ${deadline}`);
    const timer = deadline !== undefined && draw(2) === 0;
    now = timer ? instant(Math.max(now, deadline)) : after(now, micros(draw(20_000)));
    if (timer) {
      const up = session.state === 'Up';
      const effects = session.handle({ type: 'timer' }, now);
      const next = session.deadline;
      assert.ok(next === undefined || next > now, 'a timer that was heard is over');
      const sent = effects.some(({ type }) => type === 'send');
      const least = up ? Math.min(parameters.minTransmit, session.transmitInterval) : 0;
      if (sent && last !== undefined && up && session.state === 'Up')
        assert.ok(now - last >= 0.75 * least - 1, 'faster than agreed');
      last = sent ? now : last;
    } else if (draw(20) === 0) {
      const minTransmit = millis(1 + draw(50));
      session.handle({ type: 'reconfigure', parameters: { ...parameters, minTransmit } }, now);
      last = undefined;
    } else if (draw(60) === 0) session.handle({ type: 'shutdown' }, now);
    else if (decode(packetOf(draw, session.discriminator), packet) === undefined) {
      for (const effect of session.handle({ type: 'packet', packet }, now))
        if (effect.type === 'send') {
          const said = emptyPacket();
          session.compose(effect.final, said);
          assert.ok(!(said.poll && said.final), 'no packet polls and answers (§6.5)');
          const bytes = new Uint8Array(PACKET_LENGTH);
          encode(said, bytes);
          assert.equal(decode(bytes, emptyPacket()), undefined, 'what it sends others accept');
        }
      last = undefined;
    }
  }
}

/** Runs from `seed` on until told to end; how many there were. @throws Error that names the seed of the failure */
export function fuzz(seed: number, until: (runs: number) => boolean): number {
  let runs = 0;
  for (; !until(runs); runs++)
    try {
      live(seed + runs);
    } catch (cause) {
      throw new Error(`node test/fuzz/bfd.ts --seed ${seed + runs} --runs 1`, { cause });
    }
  return runs;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const option = (name: string): number | undefined => {
    const at = process.argv.indexOf(`--${name}`);
    return at === -1 ? undefined : Number(process.argv[at + 1]);
  };
  const seed = option('seed') ?? Date.now() % 1_000_000_000;
  const runs = option('runs') ?? Number.POSITIVE_INFINITY;
  const end = performance.now() + (option('seconds') ?? (Number.isFinite(runs) ? 1e9 : 60)) * 1000;
  console.log(`seed ${seed}`);
  const done = fuzz(seed, (count) => count >= runs || performance.now() > end);
  console.log(`${done} lives of a session without a failure`);
}
