// The kernel's settings under /proc/sys, of the calling thread's network namespace. Interfaces only.

export interface Sysctl {
  /** A number; undefined: there is no such setting, or it cannot be read. @param path below /proc/sys: 'net/ipv6/conf/eth0/autoconf' */
  read(path: string): number | undefined;
  /** @returns why it was refused (an errno name such as EROFS); undefined: done */
  write(path: string, value: number): string | undefined;
}
