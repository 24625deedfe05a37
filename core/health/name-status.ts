// A name of a peer as people and programs see it: what it means at present and what is wrong with it. Plain data.
import type { IpAddress } from '../net/address.ts';

export interface NameStatus {
  /** The virtual router that has it for a peer. */
  readonly instance: string;
  readonly name: string;
  /** What it means, without this machine's own addresses; the last answer when the latest question had none. */
  readonly addresses: readonly IpAddress[];
  /** When it was answered last, milliseconds since 1970; undefined: never. */
  readonly answered: number | undefined;
  /** Why the latest question had no answer; empty: it had. */
  readonly problem: string;
}
