// The parts of an instance that nobody acts on yet: kept in the model with their defaults. Pure.
import type { GlobalValues } from './globals.ts';
import type { InstanceValues } from './instances.ts';
import type { HmacConfig, InstanceConfig, VirtualInterface } from './model.ts';
import { routesOf, rulesOf } from './statics.ts';

type Details = Pick<
  InstanceConfig,
  | 'trackSource'
  | 'strict'
  | 'accept'
  | 'hmac'
  | 'authenticationHeaderKey'
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

/** @param interval of the adverts, in microseconds */
export function detailsOf(values: InstanceValues, globals: GlobalValues, strict: boolean, interval: number): Details {
  const virtual = virtualInterfaceOf(values);
  const elsewhere = (values.garp_extra_if ?? globals.vrrp_garp_extra_if)?.value;
  const stall = values.timer_expired_backup?.value;
  const key =
    values.authentication?.value.auth_type?.value === 'AH' ? values.authentication.value.auth_pass : undefined;
  return {
    trackSource: values.track_src_ip !== undefined,
    strict,
    accept: values.accept !== undefined || (values.no_accept === undefined && !strict),
    ...(values.auth_hmac && { hmac: hmacOf(values.auth_hmac.value, interval) }),
    ...(key && { authenticationHeaderKey: key.value }),
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
    routes: routesOf(values.virtual_routes?.value),
    rules: rulesOf(values.virtual_rules?.value),
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

function hmacOf(values: NonNullable<InstanceValues['auth_hmac']>['value'], interval: number): HmacConfig {
  const threeAdverts = Math.ceil((3 * interval) / 1_000_000);
  return {
    keys: values.key?.value ?? [],
    activeKey: values.active_key?.value ?? values.key?.value[0]?.id,
    antiReplay: values.anti_replay?.value ?? 'time',
    timeWindow: values.time_window?.value ?? Math.max(threeAdverts, 5),
    mode: values.mode?.value ?? 'enforce',
  };
}
