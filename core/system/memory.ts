// Gives back what starting up took: modules, parsed configuration, garbage of the composition. Once, when all is set up.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A full collection of the calling thread's heap that also returns freed pages. Takes some tens of milliseconds. */
export function releaseMemory(): void {
  // Flags are the whole process's and stay: a thread that took this one back would take it from another in between.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: {
    type: 'major';
    execution: 'sync';
    flavor: 'last-resort';
  }) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
