// keepalived's statistics dump (SIGUSR2): the same lines, byte for byte. Pure.
import { type DumpSources, errorsOf, instancesOf } from './keepalived-dump.ts';

export function keepalivedStats(sources: DumpSources): string {
  const blocks = [...instancesOf(sources)].map(({ instance, snapshot }) => {
    const { statistics } = snapshot;
    const errors = errorsOf(snapshot);
    return `VRRP Instance: ${instance.name}
  Advertisements:
    Received: ${statistics.advertisementsReceived}
    Sent: ${statistics.advertisementsSent}
  Became master: ${statistics.becomeMaster}
  Released master: ${statistics.releaseMaster}
  Packet Errors:
    Length: ${errors.length}
    TTL: ${errors.ttl}
    Invalid Type: ${errors.type}
    Advertisement Interval: ${errors.interval}
    Address List: ${errors.addressList}
  Authentication Errors:
    Invalid Type: ${errors.authType}
    Type Mismatch: ${errors.authMismatch}
    Failure: ${errors.authFailure}
  Priority Zero:
    Received: ${statistics.priorityZeroReceived}
    Sent: ${statistics.priorityZeroSent}
`;
  });
  return blocks.join('');
}
