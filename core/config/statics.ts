// From the top-level blocks about interfaces, static addresses, routes and rules to the model. Pure.
import { completeAddress } from './addresses.ts';
import type { Report } from './diagnostics.ts';
import type { RootValues } from './globals.ts';
import type { Configuration } from './model.ts';

type Shared = Pick<Configuration, 'garpGroups' | 'trackGroups' | 'statics'>;

/** @param instances names that a track_group may name; `device`: interface of static addresses that name none */
export function buildShared(
  values: RootValues,
  instances: ReadonlySet<string>,
  device: string,
  report: Report,
): Required<Shared> {
  const names = new Set<string>();
  return {
    garpGroups: (values.garp_group?.value ?? []).map((group) => ({
      interfaces: [...(group.interface ? [group.interface.value] : []), ...(group.interfaces?.value.flat() ?? [])],
      garpInterval: group.garp_interval?.value,
      gnaInterval: group.gna_interval?.value,
    })),
    trackGroups: (values.track_group?.value ?? []).flatMap(({ name, place, values: inner }) => {
      const isNew = !names.has(name);
      if (!isNew)
        report.add('W014', place, `track_group ${name} is defined again; the first one counts`, { value: name });
      names.add(name);
      const members = (inner.group?.value.flat() ?? []).filter((member) => {
        if (!instances.has(member.name))
          report.add('W055', member.place, `there is no vrrp_instance ${member.name}; ${name} goes without it`, {
            value: member.name,
          });
        return instances.has(member.name);
      });
      return isNew ? [{ name, members: members.map((member) => member.name) }] : [];
    }),
    statics: {
      addresses: (values.static_ipaddress?.value ?? []).map((line) => ({
        ...completeAddress(line, device),
        ...(line.group !== undefined && { group: line.group }),
      })),
      routes: values.static_routes?.value ?? [],
      rules: values.static_rules?.value ?? [],
    },
  };
}
