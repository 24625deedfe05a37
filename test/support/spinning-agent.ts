// Our agent with a defect on demand: SIGWINCH makes its main thread spin for ever, as a regular expression or a parser
// without an end would. The engine's thread must notice by itself.
import { main } from '../../core/cli/main.ts';

process.on('SIGWINCH', () => {
  for (;;);
});

process.exitCode = await main(process.argv.slice(2));
