// The parts of an instance that nobody acts on yet: kept in the model with their defaults. Pure.
import type { GlobalValues } from './globals.ts';
import type { InstanceValues } from './instances.ts';
import type { InstanceConfig, VirtualInterface } from './model.ts';

type Details = Pick<
  InstanceConfig,
  | 'trackSource'
  | 'strict'
  | 'accept'
  | 'checksumWithoutPseudoHeader'
  | 'oldUnicastChecksum'
  | 'ownerIgnoresAdverts'
  | 'backupAfterStall'
  | 'faultWithoutPeers'
  | 'promoteSecondaries'
  | 'vrf'
  | 'virtualInterface'
  | 'receiveBuffer'
  | 'announceElsewhere'
  | 'routes'
  | 'rules'
  | 'debug'
>;

export function detailsOf(values: InstanceValues, globals: GlobalValues, strict: boolean): Details {
  const virtual = virtualInterfaceOf(values);
  const elsewhere = (values.garp_extra_if ?? globals.vrrp_garp_extra_if)?.value;
  const stall = values.timer_expired_backup?.value;
  return {
    trackSource: values.track_src_ip !== undefined,
    strict,
    accept: values.accept !== undefined || (values.no_accept === undefined && !strict),
    checksumWithoutPseudoHeader: (values.v3_checksum_as_v2 ?? globals.v3_checksum_as_v2)?.value ?? false,
    oldUnicastChecksum: values.old_unicast_checksum?.value ?? 'auto',
    ownerIgnoresAdverts: (values.owner_ignore_adverts ?? globals.vrrp_owner_ignore_adverts)?.value ?? false,
    ...(stall !== undefined && { backupAfterStall: { priority: stall === 255 ? undefined : stall } }),
    faultWithoutPeers: values.unicast_fault_no_peer?.value ?? false,
    promoteSecondaries: values.promote_secondaries !== undefined,
    ...(values.vrf && { vrf: values.vrf.value }),
    ...(virtual && { virtualInterface: virtual }),
    ...(values.kernel_rx_buf_size && { receiveBuffer: values.kernel_rx_buf_size.value }),
    ...(elsewhere && elsewhere.interval > 0 && { announceElsewhere: elsewhere }),
    routes: values.virtual_routes?.value ?? [],
    rules: values.virtual_rules?.value ?? [],
    debug: values.debug?.value ?? 0,
  };
}

function virtualInterfaceOf(values: InstanceValues): VirtualInterface | undefined {
  const { use_vmac: vmac, use_ipvlan: ipvlan } = values;
  if (vmac)
    return {
      kind: 'macvlan',
      name: vmac.value.name,
      mac: vmac.value.mac,
      group: vmac.value.group,
      forAddresses: values.use_vmac_addr !== undefined,
      sendBelow: values.vmac_xmit_base !== undefined,
    };
  return (
    ipvlan && {
      kind: 'ipvlan',
      name: ipvlan.value.name,
      address: ipvlan.value.address,
      mode: ipvlan.value.mode ?? 'bridge',
      group: ipvlan.value.group,
    }
  );
}
