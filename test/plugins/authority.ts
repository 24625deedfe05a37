// A certificate authority for one test file, made with openssl: certificates that are good, expired, for another name.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export class Authority implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'vk-ca-'));
  /** File with the certificate of the authority. */
  readonly file = join(this.directory, 'ca.pem');
  readonly #key = join(this.directory, 'ca.key');

  constructor() {
    const subject = '/CN=Test Authority';
    this.#run(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      subject,
      '-keyout',
      this.#key,
      '-out',
      this.file,
      '-days',
      '3650',
    );
  }

  /** A certificate for an address or name, valid from and to days from now. */
  issue(name: string, from = -1, to = 30): Certificate {
    const base = join(this.directory, `${name}-${from}-${to}`);
    const [key, request, certificate, extension] = ['key', 'csr', 'pem', 'ext'].map((end) => `${base}.${end}`) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(extension, `subjectAltName=${/^[\d.]+$/.test(name) ? 'IP' : 'DNS'}:${name}\n`);
    this.#run(
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      key,
      '-out',
      request,
    );
    // x509 has no dates in the past; ca has.
    writeFileSync(join(this.directory, 'index'), '');
    writeFileSync(
      join(this.directory, 'serial'),
      Math.floor(Math.random() * 1e9)
        .toString()
        .padStart(10, '1'),
    );
    const config = join(this.directory, 'ca.cnf');
    writeFileSync(
      config,
      `[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=${this.directory}\ndatabase=${join(this.directory, 'index')}\nserial=${join(this.directory, 'serial')}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n`,
    );
    this.#run(
      'ca',
      '-batch',
      '-config',
      config,
      '-cert',
      this.file,
      '-keyfile',
      this.#key,
      '-in',
      request,
      '-out',
      certificate,
      '-notext',
      '-extfile',
      extension,
      '-startdate',
      stamp(from),
      '-enddate',
      stamp(to),
    );
    return { certificate, key };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #run(...args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** YYMMDDHHMMSSZ, days from now. */
const stamp = (days: number): string =>
  `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
