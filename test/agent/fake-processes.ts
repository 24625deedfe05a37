// Programs that exist only in virtual time: each takes as long, and ends, as the test says.
import type { ProcessRequest, ProcessResult, ProcessRunner, RunningProcess } from '../../core/ports/process.ts';
import { after, type Instant, type Micros, micros, seconds } from '../../core/units.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Behaviour {
  /** Exit code; default 0. */
  readonly code?: number;
  readonly output?: string;
  /** How long it takes; default: nothing. 'for ever' ends by timeout or abort only. */
  readonly takes?: Micros | 'for ever';
  /** How long it survives SIGTERM; default: not at all. At most two seconds matter. */
  readonly lingers?: Micros;
}

export interface Started extends ProcessRequest {
  readonly at: Instant;
}

export class FakeProcesses implements ProcessRunner {
  readonly started: Started[] = [];
  /** Programs that live now, and the most that ever did. */
  alive = 0;
  readonly #time: VirtualTime;
  readonly #behave: (request: ProcessRequest) => Behaviour;

  constructor(time: VirtualTime, behave: (request: ProcessRequest) => Behaviour = () => ({})) {
    this.#time = time;
    this.#behave = behave;
  }

  start(request: ProcessRequest, signal: AbortSignal): RunningProcess {
    this.started.push({ ...request, at: this.#time.now() });
    const { code = 0, output = '', takes = micros(0), lingers = micros(0) } = this.#behave(request);
    const result = Promise.withResolvers<ProcessResult>();
    const gone = Promise.withResolvers<void>();
    const now = this.#time.now();
    const cancels: (() => void)[] = [];
    this.alive++;
    const end = (outcome: ProcessResult, linger: Micros): void => {
      for (const cancel of cancels) cancel();
      signal.removeEventListener('abort', onAbort);
      result.resolve(outcome);
      const leave = (): void => {
        this.alive--;
        gone.resolve();
      };
      if (linger > 0) this.#time.setTimer(after(this.#time.now(), micros(Math.min(linger, seconds(2)))), leave);
      else leave();
    };
    const onAbort = (): void => end({ ok: false, failure: { type: 'aborted' }, output }, lingers);
    signal.addEventListener('abort', onAbort);
    const { timeout } = request;
    cancels.push(
      this.#time.setTimer(after(now, timeout), () =>
        end({ ok: false, failure: { type: 'timeout', after: timeout }, output }, lingers),
      ),
    );
    if (takes !== 'for ever')
      cancels.push(
        this.#time.setTimer(after(now, takes), () =>
          end(code === 0 ? { ok: true, output } : { ok: false, failure: { type: 'exit', code }, output }, micros(0)),
        ),
      );
    return { result: result.promise, gone: gone.promise };
  }

  /** When programs were started, in milliseconds of virtual time. */
  get times(): number[] {
    return this.started.map(({ at }) => at / 1_000);
  }
}
