// The small service that the demo's balancers check: says over HTTP on whose machine it runs. Run as a program:
//   service.ts serve NAME PORT PIDFILE
//   service.ts ask ADDRESS PORT        prints what the service there says
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [verb, name, port, pidFile] = process.argv.slice(2);

if (verb === 'serve') {
  const server = createServer((_, response) => response.end(name));
  server.listen(Number(port), () => writeFileSync(pidFile!, `${process.pid}\n`));
} else if (verb === 'ask') {
  const response = await fetch(`http://${name}:${port}/`, { signal: AbortSignal.timeout(2000) });
  console.log(await response.text());
}
