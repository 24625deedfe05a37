// Whether the package raw-socket can be used here: the tests that need it are skipped where it was not built, and say
// why in one line. With CI=true it may not be missing.
import { loadRawSocket } from '../../core/system/portable/raw-socket.ts';
import { type Need, needs } from './needs.ts';

/** Options for `describe` or `test`, as `needs`, for tests that need the package as well. @throws Error when CI=true */
export function needsRawSocket(...wanted: readonly Need[]): { skip: string | false } {
  const others = needs(...wanted);
  if (others.skip !== false) return others;
  try {
    loadRawSocket();
    return { skip: false };
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    return { skip: `missing: ${(error as Error).message}` };
  }
}
