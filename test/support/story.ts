// A short story in a lab of its own: quick instances, waiting by condition, the daemons' logs when it ends badly.
import { conf, type FileText, type InstanceText } from './conf.ts';
import { Lab, type LabPlan } from './netns.ts';

/** The virtual address of every story. */
export const VIP = '192.0.2.100';

/** A file with one VRRPv3 instance that advertises every 100 ms. */
export const quick = (
  router: string,
  instance: Partial<InstanceText> & { priority: number },
  rest: Partial<FileText> = {},
): string =>
  conf({ routerId: router, instances: [{ version: 3, advertInt: 0.1, vips: [`${VIP}/24`], ...instance }], ...rest });

/** Runs a story in a lab of its own; failures tell the daemons' logs. */
export async function story(plan: string | LabPlan, body: (lab: Lab) => Promise<void>): Promise<void> {
  await using lab = await Lab.create(typeof plan === 'string' ? { name: plan } : plan);
  try {
    await body(lab);
  } catch (error) {
    throw lab.explain(error);
  }
}

/** @throws Error in time */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await condition()); await new Promise((done) => setTimeout(done, 20)))
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
}
