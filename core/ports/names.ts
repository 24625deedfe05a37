// What the agent needs to find machines by name. Interfaces only; core/system/names.ts asks the system's resolver.
import type { Family, IpAddress } from '../net/address.ts';
import type { Micros } from '../units.ts';

export type NameAnswer<T> =
  /** At least one value; `ttl`: how long it may be believed, where that is known. */
  | { readonly ok: true; readonly values: readonly T[]; readonly ttl: Micros | undefined }
  /** No answer, or none that says anything: an errno-like word. */
  | { readonly ok: false; readonly why: string };

/** No promise is ever rejected, and each is fulfilled within some seconds. */
export interface Names {
  addresses(host: string, family: Family): Promise<NameAnswer<IpAddress>>;
  /** The hosts behind a service name (SRV, RFC 2782). */
  targets(service: string): Promise<NameAnswer<string>>;
  /** Every address that this machine has now. */
  own(): ReadonlySet<IpAddress>;
}
