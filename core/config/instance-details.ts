// The parts of an instance that nobody acts on yet: kept in the model with their defaults. Pure.

import type { Micros } from '../units.ts';
import type { GlobalValues } from './globals.ts';
import type { InstanceValues } from './instances.ts';
import type { InstanceConfig } from './model.ts';

type Details = Pick<
  InstanceConfig,
  | 'trackSource'
  | 'strict'
  | 'accept'
  | 'checksumWithoutPseudoHeader'
  | 'oldUnicastChecksum'
  | 'ownerIgnoresAdverts'
  | 'fastHandover'
  | 'resignMemory'
  | 'backupAfterStall'
  | 'faultWithoutPeers'
  | 'promoteSecondaries'
  | 'vrf'
  | 'receiveBuffer'
  | 'announceElsewhere'
  | 'routes'
  | 'rules'
  | 'debug'
>;

export function detailsOf(values: InstanceValues, globals: GlobalValues, strict: boolean): Details {
  const elsewhere = (values.garp_extra_if ?? globals.vrrp_garp_extra_if)?.value;
  const stall = values.timer_expired_backup?.value;
  const memory = (values.resign_when_outranked ?? globals.vrrp_resign_when_outranked)?.value ?? 0;
  return {
    trackSource: values.track_src_ip !== undefined,
    strict,
    accept: values.accept !== undefined || (values.no_accept === undefined && !strict),
    checksumWithoutPseudoHeader: (values.v3_checksum_as_v2 ?? globals.v3_checksum_as_v2)?.value ?? false,
    oldUnicastChecksum: values.old_unicast_checksum?.value ?? 'auto',
    ownerIgnoresAdverts: (values.owner_ignore_adverts ?? globals.vrrp_owner_ignore_adverts)?.value ?? false,
    fastHandover: (values.fast_handover ?? globals.vrrp_fast_handover)?.value ?? true,
    ...(memory > 0 && { resignMemory: memory as Micros }),
    ...(stall !== undefined && { backupAfterStall: { priority: stall === 255 ? undefined : stall } }),
    faultWithoutPeers: values.unicast_fault_no_peer?.value ?? false,
    promoteSecondaries: values.promote_secondaries !== undefined,
    ...(values.vrf && { vrf: values.vrf.value }),
    ...(values.kernel_rx_buf_size && { receiveBuffer: values.kernel_rx_buf_size.value }),
    ...(elsewhere && elsewhere.interval > 0 && { announceElsewhere: elsewhere }),
    routes: values.virtual_routes?.value ?? [],
    rules: values.virtual_rules?.value ?? [],
    debug: values.debug?.value ?? 0,
  };
}
