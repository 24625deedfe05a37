// Numbers of the kernel's interface, from include/uapi/linux and asm-generic: the same on x86-64, arm64 and riscv64.
// Named as there, so that the man pages explain them.

export const EINTR = 4;
export const EAGAIN = 11;
export const EBUSY = 16;
export const EMSGSIZE = 90;
export const ENOBUFS = 105;
export const ETIMEDOUT = 110;

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;

export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;

export const IPPROTO_ICMP = 1;
export const IPPROTO_ICMPV6 = 58;
export const IPPROTO_VRRP = 112;

// socket(7)
export const SOL_SOCKET = 1;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_BINDTODEVICE = 25;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_TIMESTAMPNS = 35;

// ip(7)
export const SOL_IP = 0;
export const IP_TOS = 1;
export const IP_TTL = 2;
export const IP_HDRINCL = 3;
export const IP_PKTINFO = 8;
export const IP_RECVTTL = 12;
export const IP_MULTICAST_IF = 32;
export const IP_MULTICAST_LOOP = 34;
export const IP_ADD_MEMBERSHIP = 35;
export const IP_DROP_MEMBERSHIP = 36;
export const IP_MULTICAST_ALL = 49;

// ipv6(7); IPV6_HDRINCL and IPV6_MULTICAST_ALL are in linux/in6.h only (since 4.5 and 4.20)
export const SOL_IPV6 = 41;
export const IPV6_UNICAST_HOPS = 16;
export const IPV6_MULTICAST_IF = 17;
export const IPV6_MULTICAST_LOOP = 19;
export const IPV6_ADD_MEMBERSHIP = 20;
export const IPV6_DROP_MEMBERSHIP = 21;
export const IPV6_V6ONLY = 26;
export const IPV6_MULTICAST_ALL = 29;
export const IPV6_HDRINCL = 36;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_RECVHOPLIMIT = 51;
export const IPV6_HOPLIMIT = 52;
export const IPV6_TCLASS = 67;

export const MSG_DONTROUTE = 0x4;

// packet(7); PACKET_IGNORE_OUTGOING is in linux/if_packet.h only (since 4.20)
export const ETH_P_ALL = 3;
export const SOL_PACKET = 263;
export const PACKET_ADD_MEMBERSHIP = 1;
export const PACKET_IGNORE_OUTGOING = 23;

// netlink(7); its messages are in core/net/netlink.ts
export const NETLINK_ROUTE = 0;
export const SOL_NETLINK = 270;
export const NETLINK_CAP_ACK = 10;

// sched(7), prctl(2), namespaces(7)
export const SCHED_OTHER = 0;
export const SCHED_RR = 2;
export const SCHED_RESET_ON_FORK = 0x40000000;
export const PR_SET_DUMPABLE = 4;
export const PR_SET_TIMERSLACK = 29;
export const CLONE_NEWNET = 0x40000000;
