// What a check may ask about the network that is not to be had from Node: echoes, neighbours, interfaces. Interfaces only;
// one set of sockets serves all checks of a thread.
import type { IpAddress, MacAddress } from '../net/address.ts';
import type { Micros } from '../units.ts';

/** An echo request to be sent. */
export interface PingRequest {
  readonly target: IpAddress;
  /** Our address; absent: as the routing table says. */
  readonly source?: IpAddress;
  /** Name of the interface to leave by; absent: as the routing table says. A link-local target needs it. */
  readonly interface?: string;
  /** Bytes of payload, 16 to MOST_PAYLOAD. */
  readonly size: number;
  /** TTL or hop limit, 1 to 255; absent: the system's. */
  readonly ttl?: number;
}

/** Who is asked for on which interface. */
export interface NeighbourRequest {
  readonly target: IpAddress;
  readonly interface: string;
}

/** How long the answer took, from the kernel's own time of arrival; or in words why there will be none. */
export type EchoResult = { readonly ok: true; readonly took: Micros } | { readonly ok: false; readonly why: string };

/** An interface and its addresses. */
export interface NetworkLink {
  readonly name: string;
  /** 1 and up. */
  readonly index: number;
  /** Switched on. */
  readonly up: boolean;
  /** The driver sees a carrier. */
  readonly carrier: boolean;
  /** Switched on and able to carry traffic. */
  readonly running: boolean;
  /** Bytes. */
  readonly mtu: number;
  /** Undefined: it is not of the Ethernet kind. */
  readonly mac: MacAddress | undefined;
  readonly addresses: readonly { readonly address: IpAddress; readonly prefixLength: number }[];
}

/** Each promise fulfils; when its signal is aborted, at once, with a result that is of no interest. */
export interface CheckNetwork {
  /** Sends one echo request. */
  ping(request: PingRequest, signal: AbortSignal): Promise<EchoResult>;
  /** Asks once who has an address: ARP or neighbour discovery, whatever the neighbour tables say. Absent: no addon. */
  resolve?(request: NeighbourRequest, signal: AbortSignal): Promise<EchoResult>;
  /** All interfaces as they are now. @throws Error when the system does not tell */
  links(): readonly NetworkLink[];
}
