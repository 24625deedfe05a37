// The packet filter of this network namespace. Interfaces only.

export interface Firewall {
  /** Runs a script of nft(8) as one transaction: all of it or nothing. @returns why it was refused; undefined: done */
  apply(script: string): string | undefined;
}
