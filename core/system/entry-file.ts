// Where a module lies that is started by itself, as a thread or a program: in the sources where the importer says,
// in the package beside all others.

/**
 * @param importer the importer's import.meta.url
 * @param path relative to the importer in the sources, without its ending: `./engine-thread`
 */
export function entryFile(importer: string, path: string): URL {
  if (importer.endsWith('.ts')) return new URL(`${path}.ts`, importer);
  return new URL(`./${path.slice(path.lastIndexOf('/') + 1)}.js`, importer);
}
