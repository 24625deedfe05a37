// The files that an include pattern names, and whether the programs of a configuration exist on this machine.
import { accessSync, constants, globSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ProgramState } from '../config/scripts.ts';
import type { SourceText } from '../config/source.ts';

/** Every readable regular file that matches a shell pattern, by name. */
export function includeFiles(pattern: string): readonly SourceText[] {
  const found: SourceText[] = [];
  for (const file of globSync(pattern).toSorted())
    try {
      if (statSync(file).isFile()) found.push({ file, text: readFileSync(file, 'utf8') });
    } catch {
      // Unreadable files count as not there, as with keepalived's plain include.
    }
  return found;
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
