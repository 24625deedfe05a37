// Steps of one story in one lab: each is a test of its own, and after the first that fails the others fail at once,
// because the story has taken another turn.
import type { TestContext } from 'node:test';
import type { Lab } from './netns.ts';

export type Step = (name: string, body: () => Promise<void>) => Promise<void>;

export function steps(context: TestContext, lab: Lab): Step {
  let broken: string | undefined;
  return (name, body) =>
    context.test(name, async () => {
      if (broken !== undefined) throw new Error(`not reached, because this failed: ${broken}`);
      try {
        await body();
      } catch (error) {
        broken = name;
        throw lab.explain(error);
      }
    });
}
