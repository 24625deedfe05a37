// Runs the fuzz targets beside one another: npm run fuzz -- [TARGET …] [--seconds N]. Fails when one of them does, and
// then says how to see it again. For hours: npm run fuzz -- packets --seconds 36000
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const TARGETS = ['config', 'packets', 'netlink', 'bfd'];

const at = process.argv.indexOf('--seconds');
const seconds = at === -1 ? '60' : process.argv[at + 1]!;
const words = process.argv.slice(2).filter((_, i) => at === -1 || (i + 2 !== at && i + 2 !== at + 1));
const unknown = words.find((word) => !TARGETS.includes(word));
if (unknown !== undefined) {
  console.error(`there is no target ${unknown}; there are ${TARGETS.join(', ')}`);
  process.exit(2);
}

const codes = await Promise.all(
  (words.length === 0 ? TARGETS : words).map((target) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, `${target}.ts`), '--seconds', seconds]);
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
    return new Promise<number>((resolve) =>
      child.once('close', (code) => {
        console.log(`${target}: ${text.trim().replaceAll('\n', '\n  ')}`);
        resolve(code ?? 1);
      }),
    );
  }),
);
process.exit(codes.some((code) => code !== 0) ? 1 : 0);
