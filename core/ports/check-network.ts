// What checks ask about the network, for those who answer them with the system's sockets. Interfaces only.
export type { CheckNetwork, EchoResult, NeighbourRequest, NetworkLink, PingRequest } from '../plugin/network.ts';
