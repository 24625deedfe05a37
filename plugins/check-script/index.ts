// check-script: a program ends with status 0. No shell; examined as all scripts are, killed with all it started when its
// time is up.
import { type CheckHost, checkPlugin, type HealthCheck } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

const options = {
  command: {
    kind: 'words',
    required: true,
    help: 'the program and its arguments; no shell sees them',
    example: '/usr/local/bin/check-queue --most 500',
  },
  user: { kind: 'text', help: 'user to run it as; default: script_user', example: 'nobody' },
  group: { kind: 'text', help: 'group to run it as; default: that of the user', example: 'nogroup' },
} as const;

type Values = OptionValues<typeof options>;

export const checkScript = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'script',
  help: 'a program ends with status 0',
  options,
  validate({ user, group }: Values, complain) {
    if (group !== undefined && user === undefined)
      complain('group', 'it counts only with user', 'add user, or leave group out');
  },
  create: ({ command, user, group }: Values, { programs, log }: CheckHost): HealthCheck => {
    if (programs === undefined) throw new Error('whoever runs it starts no programs');
    const request = { argv: command, ...(user !== undefined && { user, ...(group !== undefined && { group }) }) };
    let told: string | undefined;
    return {
      async probe(signal) {
        const result = await programs.run(request, signal);
        const { risk } = result;
        if (risk !== undefined && risk !== told) log('warning', risk);
        told = risk ?? told;
        return result.ok ? { ok: true } : { ok: false, why: result.why };
      },
    };
  },
});
