// Our agent with defects on demand. SIGWINCH makes its main thread spin for ever, as a regular expression or a parser
// without an end would: the engine's thread must notice by itself. SIGURG throws where nobody catches.
import { main } from '../../core/cli/main.ts';

process.on('SIGWINCH', () => {
  for (;;);
});
process.on('SIGURG', () => {
  throw new Error('somebody divided by zero');
});

process.exit(await main(process.argv.slice(2)));
