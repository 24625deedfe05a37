// The check plugins that come with the agent: one folder each, one line each.
import type { CheckPlugin } from '../core/plugin/check.ts';
import { checkCertificate } from './check-certificate/index.ts';
import { checkDns } from './check-dns/index.ts';
import { checkFile } from './check-file/index.ts';
import { checkHttp } from './check-http/index.ts';
import { checkTcp } from './check-tcp/index.ts';
import { checkUdp } from './check-udp/index.ts';

export const checkPlugins: readonly CheckPlugin[] = [
  checkTcp,
  checkHttp,
  checkUdp,
  checkFile,
  checkDns,
  checkCertificate,
];
