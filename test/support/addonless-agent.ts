// Our agent on a machine where the native addon does not load: the real command line, with a loader that refuses it.
import process from 'node:process';

const load = process.dlopen.bind(process);
process.dlopen = (module, path, ...rest) => {
  if (path.includes('vipkeeper-linux')) throw new Error(`${path}: wrong ELF class: ELFCLASS32`);
  load(module, path, ...rest);
};
const { main } = await import('../../core/cli/main.ts');
process.exit(await main(process.argv.slice(2)));
