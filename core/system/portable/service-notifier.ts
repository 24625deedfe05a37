// Tells systemd how the service is doing where our addon cannot: by its own program systemd-notify, which speaks for the
// process that started it (as root; otherwise the unit needs NotifyAccess=all). Without NOTIFY_SOCKET it does nothing.
import { spawn } from 'node:child_process';
import { stdioBeyond } from './descriptors.ts';

export class ProgramNotifier {
  readonly #socket: string | undefined;

  constructor(environment: { readonly NOTIFY_SOCKET?: string | undefined }) {
    this.#socket = environment.NOTIFY_SOCKET;
  }

  /** The service runs; also the end of a reload. */
  ready(): void {
    this.#tell('--ready');
  }

  reloading(): void {
    this.#tell('--reloading');
  }

  stopping(): void {
    this.#tell('--stopping');
  }

  /** One line for people. */
  status(text: string): void {
    this.#tell(`--status=${text.replaceAll(/[\r\n\0]+/g, ' ')}`);
  }

  #tell(what: string): void {
    if (this.#socket === undefined) return;
    const child = spawn('systemd-notify', [what], { stdio: ['ignore', 'ignore', 'ignore', ...stdioBeyond()] });
    // Who cannot be told is not told.
    child.on('error', () => {});
    child.unref();
  }
}
