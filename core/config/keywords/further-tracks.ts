// What instances and groups can track besides scripts and interfaces; the same rows in both.
import { list, type Rows } from './row.ts';
import { fileLine, processLine, trackLine } from './track.ts';

export const furtherTrackRows = {
  track_check: {
    value: list(trackLine),
    repeat: 'join',
    extension: true,
    help: 'checks that count',
    example: 'web weight -20',
  },
  track_file: {
    value: list(fileLine),
    repeat: 'join',
    help: 'files whose numbers move the priority',
    example: 'load weight -1',
  },
  track_process: {
    value: list(processLine),
    repeat: 'join',
    help: 'programs that must run',
    example: 'web weight -20',
  },
  track_bfd: {
    value: list(trackLine),
    repeat: 'join',
    help: 'BFD sessions that must be up',
    example: 'gateway weight -20',
  },
} as const satisfies Rows;
