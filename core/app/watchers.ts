// What watches the machine for the trackers: files and processes, wired to Linux and to the log.
import { FileTracker } from '../agent/file-tracker.ts';
import type { Logger } from '../agent/log.ts';
import { ProcessTracker } from '../agent/process-tracker.ts';
import type { TrackSource } from '../agent/trackers.ts';
import type { Timing } from '../ports/process.ts';
import { FileWatcher } from '../system/file-watch.ts';
import type { Native } from '../system/native/index.ts';
import { ProcessWatcher } from '../system/process-watch.ts';
import { whyAbsent } from './addon.ts';

/** Nothing runs for them until something is tracked. */
export function watchers(native: Native, timing: Timing, log: Logger): readonly TrackSource[] {
  return [
    new FileTracker({
      files: new FileWatcher(),
      timing,
      onFile: ({ file, value, problem }) =>
        log.log(problem === '' ? 'info' : 'warning', 'file', { file, value, problem: problem || undefined }),
    }),
    new ProcessTracker({
      watch: new ProcessWatcher(whyAbsent(native) === undefined ? native : undefined),
      timing,
      onProcess: ({ process, up, detail }) => log.log(up ? 'info' : 'warning', 'process', { process, up, detail }),
      onSource: (level, text) => log.log(level, 'processes', { detail: text }),
    }),
  ];
}
