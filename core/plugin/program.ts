// Programs that a check starts, and by which rules they run: interfaces and plain data only. Who examines and starts them
// is somebody else's business.

/** Whom programs run as unless they name somebody, and how strictly they are examined. */
export interface ProgramPolicy {
  /** script_user; undefined: keepalived_script where that user exists, else the agent's own. */
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** enable_script_security: what others than root could change is not run as root. */
  readonly strict: boolean;
}

/** A program to be started. */
export interface ProgramRequest {
  /** The program and its arguments; no shell sees them. */
  readonly argv: readonly string[];
  /** Instead of script_user. */
  readonly user?: string;
  /** Instead of the group of `user`; counts only with it. */
  readonly group?: string;
}

/** How it ended, in words for people. */
export type ProgramResult = (
  | { readonly ok: true }
  /** It ended with another status than 0, was killed, or was not run at all: it is not there, or not safe. */
  | { readonly ok: false; readonly why: string }
) & {
  /** Who could change it although it runs as root, which is tolerated. */
  readonly risk?: string;
};

export interface CheckPrograms {
  /**
   * Examines a program as all scripts are, and runs it with nothing in its environment but PATH. On abort its whole
   * process group is killed. Fulfils when the program has gone; never rejects.
   */
  run(request: ProgramRequest, signal: AbortSignal): Promise<ProgramResult>;
}
