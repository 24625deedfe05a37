// Where iproute2 keeps its names for numbers (rt_tables and its sisters): the texts of the files that there are.
import { globSync, readFileSync } from 'node:fs';

/** An administrator's directory first, then the ones of the package. */
const DIRECTORIES = ['/etc/iproute2', '/usr/share/iproute2', '/usr/lib/iproute2'];

/** The texts of NAME and NAME.d/*.conf in each directory; what cannot be read is left out. */
export function nameFiles(name: string): readonly string[] {
  return DIRECTORIES.flatMap((directory) =>
    [`${directory}/${name}`, ...globSync(`${directory}/${name}.d/*.conf`).toSorted()].flatMap((path) => {
      try {
        return [readFileSync(path, 'utf8')];
      } catch {
        return [];
      }
    }),
  );
}
