// The files that an include pattern names, and whether the programs of a configuration exist on this machine.
import { accessSync, constants, globSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** A file as the reader of configurations takes it. */
interface SourceText {
  readonly file: string;
  readonly text: string;
  readonly unreadable?: string;
  readonly directory?: string;
}

type ProgramState = 'ok' | 'missing' | 'not-executable';

/** Nothing of this size is a configuration (its limit in characters is lower still). */
const MAX_BYTES = 16_777_216;

/** Every file that matches a shell pattern, by name; those that cannot be read say why. */
export function includeFiles(pattern: string): readonly SourceText[] {
  if (!/[*?[]/.test(pattern)) return sourceOf(pattern);
  // As glob(3) has it: `**` is no more than `*`, and `*` passes over hidden files.
  const files = globSync(pattern.replace(/\*{2,}/g, '*'));
  return files.toSorted().flatMap(sourceOf);
}

/** One file; nothing when it does not exist. */
function sourceOf(file: string): readonly SourceText[] {
  try {
    const status = statSync(file);
    const unreadable = status.isDirectory()
      ? 'it is a directory'
      : !status.isFile()
        ? 'it is not a regular file'
        : status.size > MAX_BYTES
          ? `it has ${status.size} bytes`
          : undefined;
    if (unreadable !== undefined) return [{ file, text: '', unreadable }];
    return [{ file, text: readFileSync(file, 'utf8'), directory: realpathSync(dirname(file)) }];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    return [{ file, text: '', unreadable: code ?? (error as Error).message }];
  }
}

/** Whether a program can be run; a name without a slash is searched in PATH. */
export function programState(name: string): ProgramState {
  const { PATH = '' } = process.env;
  const paths = name.includes('/') ? [name] : PATH.split(delimiter).map((folder) => join(folder, name));
  let state: ProgramState = 'missing';
  for (const path of paths)
    try {
      if (!statSync(path).isFile()) continue;
      state = 'not-executable';
      accessSync(path, constants.X_OK);
      return 'ok';
    } catch {
      // Absent here, or not executable: the next folder may have it.
    }
  return state;
}
