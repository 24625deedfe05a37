// The plugins that come with the agent: one folder each, one line each.
import type { CheckPlugin } from '../core/plugin/check.ts';
import type { NotifierPlugin, Plugin } from '../core/plugin/notifier.ts';
import { checkCertificate } from './check-certificate/index.ts';
import { checkDns } from './check-dns/index.ts';
import { checkFile } from './check-file/index.ts';
import { checkGateway } from './check-gateway/index.ts';
import { checkGrpc } from './check-grpc/index.ts';
import { checkHttp } from './check-http/index.ts';
import { checkInterface } from './check-interface/index.ts';
import { checkPing } from './check-ping/index.ts';
import { checkProcess } from './check-process/index.ts';
import { checkScript } from './check-script/index.ts';
import { checkSmtp } from './check-smtp/index.ts';
import { checkTcp } from './check-tcp/index.ts';
import { checkUdp } from './check-udp/index.ts';
import { notifyExec } from './notify-exec/index.ts';
import { notifyFifo } from './notify-fifo/index.ts';
import { notifySmtp } from './notify-smtp/index.ts';
import { notifyWebhook } from './notify-webhook/index.ts';

export const checkPlugins: readonly CheckPlugin[] = [
  checkTcp,
  checkHttp,
  checkUdp,
  checkFile,
  checkDns,
  checkCertificate,
  checkSmtp,
  checkGrpc,
  checkProcess,
  checkPing,
  checkGateway,
  checkInterface,
  checkScript,
];

/** The notifier plugins that come with the agent. */
export const notifierPlugins: readonly NotifierPlugin[] = [notifyWebhook, notifyExec, notifySmtp, notifyFifo];

export const builtInPlugins: readonly Plugin[] = [...checkPlugins, ...notifierPlugins];
