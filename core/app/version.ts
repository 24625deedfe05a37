// The version of the package that these files belong to, from sources and compiled alike.
import { existsSync, readFileSync } from 'node:fs';

const candidates = ['../../package.json', '../package.json'].map((path) => new URL(path, import.meta.url));
const file = candidates.find((url) => existsSync(url));

/** As in package.json. */
export const VERSION: string = file === undefined ? 'unknown' : JSON.parse(readFileSync(file, 'utf8')).version;
