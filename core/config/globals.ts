// From the values of global_defs to what holds for all: the pieces put together, late-bound defaults for the instances.
// Pure.
import type { Place, Report } from './diagnostics.ts';
import type { globalDefs } from './keywords/global-defs.ts';
import type { Values } from './keywords/row.ts';
import type { GlobalDefs } from './model.ts';

export type GlobalValues = Values<typeof globalDefs.rows>;

/** Several global_defs are one: the last of each keyword counts, wherever they stand in the file. */
export const joinGlobals = (pieces: readonly GlobalValues[]): GlobalValues =>
  Object.assign({}, ...pieces) as GlobalValues;

export function buildGlobals(values: GlobalValues, hostName: string): GlobalDefs {
  return {
    routerId: values.router_id?.value ?? hostName,
    scriptUser: values.script_user?.value,
    enableScriptSecurity: values.enable_script_security !== undefined,
    realtimePriority: values.vrrp_rt_priority?.value,
    addressLifetime: values.vrrp_address_lifetime?.value ?? true,
  };
}

/** Scripts that run as whoever the agent runs as, usually root, and that others might change. */
export function reportScriptSecurity(values: GlobalValues, firstScript: Place | undefined, report: Report): void {
  if (firstScript && !values.enable_script_security)
    report.add(
      'I063',
      firstScript,
      'scripts run without enable_script_security: whoever can change one can become its user',
      {
        suggestion: 'put enable_script_security and script_user into global_defs',
      },
    );
}
