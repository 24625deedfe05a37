// A mail relay for tests: takes what comes by SMTP and prints each message as a line of JSON. Refuses the first
// messages for a while (451) as often as its second argument says. Run as a program: smtp-server.ts ADDRESS BUSY
import { createServer, type Socket } from 'node:net';

/** One message as it came over the wire. */
export interface Received {
  readonly helo: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const PORT = 2525;

function serve(socket: Socket, busy: () => boolean, take: (message: Received) => void): void {
  const say = (text: string): void => void socket.write(`${text}\r\n`);
  let helo = '';
  let from = '';
  let to: string[] = [];
  let data: string[] | undefined;
  let rest = '';
  const address = (line: string): string => /<(.*)>/.exec(line)?.[1] ?? '';
  const hear = (line: string): void => {
    if (data !== undefined) {
      if (line !== '.') data.push(line);
      else {
        take({ helo, from, to, ...parse(data) });
        data = undefined;
        say('250 taken');
      }
    } else if (/^(EHLO|HELO) /.test(line)) {
      helo = line.slice(5);
      say('250 relay');
    } else if (/^MAIL FROM/.test(line)) {
      from = address(line);
      to = [];
      say(busy() ? '451 busy, try again later' : '250 ok');
    } else if (/^RCPT TO/.test(line)) {
      to.push(address(line));
      say('250 ok');
    } else if (line === 'DATA') {
      data = [];
      say('354 go on');
    } else if (line === 'QUIT') socket.end('221 bye\r\n');
    else say('250 ok');
  };
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n');
    rest = lines.pop()!;
    for (const line of lines) hear(line);
  });
  socket.on('error', () => {});
  say('220 relay ESMTP');
}

function parse(lines: readonly string[]): Pick<Received, 'headers' | 'body'> {
  const end = lines.indexOf('');
  const head = lines.slice(0, end).join('\n').replaceAll(/\n\s+/g, ' ').split('\n');
  const headers = Object.fromEntries(head.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
  return { headers, body: lines.slice(end + 1).join('\n') };
}

if (import.meta.main) {
  let refusals = Number(process.argv[3]);
  createServer((socket) =>
    serve(
      socket,
      () => refusals-- > 0,
      (message) => console.log(JSON.stringify(message)),
    ),
  ).listen(PORT, process.argv[2], () => console.log('"listening"'));
}
