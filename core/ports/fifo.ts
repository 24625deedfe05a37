// What the agent needs of named pipes: lines into them, without ever waiting for a reader. Interfaces only.

/** An open named pipe. */
export interface Fifo {
  /** The whole line or nothing of it; 'full': nobody has read for a long time, the line is lost. */
  write(line: string): 'written' | 'full' | FifoFailure;
  /** Closes it, and removes it if it was made here. */
  close(): void;
}

/** Why a pipe cannot be used, in a person's words. */
export interface FifoFailure {
  readonly why: string;
}

export interface Fifos {
  /** Opens a named pipe, or makes it with these permissions and no other ones. */
  open(path: string, mode: number): Fifo | FifoFailure;
}
