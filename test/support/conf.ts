// Builds keepalived.conf texts for the namespaced tests: the one input that our agent and keepalived both read.

export interface InstanceText {
  readonly name?: string;
  readonly vrid?: number;
  readonly state?: 'MASTER' | 'BACKUP';
  readonly priority: number;
  /** Seconds, as in the file. Default 1. */
  readonly advertInt?: number;
  readonly version?: 2 | 3;
  readonly password?: string;
  readonly nopreempt?: boolean;
  readonly unicast?: { readonly source: string; readonly peers: readonly string[] };
  /** Lines of virtual_ipaddress. */
  readonly vips: readonly string[];
  readonly trackScripts?: readonly string[];
  /** Further lines of the instance. */
  readonly extra?: readonly string[];
}

export interface ScriptText {
  readonly name: string;
  readonly command: string;
  readonly interval?: number;
  readonly weight?: number;
}

export interface FileText {
  readonly routerId: string;
  readonly globals?: readonly string[];
  readonly scripts?: readonly ScriptText[];
  /** Further blocks at the top level, as they stand. */
  readonly blocks?: readonly string[];
  readonly instances: readonly InstanceText[];
}

export function conf(file: FileText): string {
  return [
    block('global_defs', [`router_id ${file.routerId}`, 'script_user root', ...(file.globals ?? [])]),
    ...(file.scripts ?? []).map(scriptText),
    ...(file.blocks ?? []),
    ...file.instances.map(instanceText),
  ].join('\n');
}

function scriptText({ name, command, interval = 1, weight = 0 }: ScriptText): string {
  return block(`vrrp_script ${name}`, [`script "${command}"`, `interval ${interval}`, `weight ${weight}`]);
}

function instanceText(instance: InstanceText, index: number): string {
  const { unicast, password, version } = instance;
  return block(`vrrp_instance ${instance.name ?? `VI_${index + 1}`}`, [
    `state ${instance.state ?? 'BACKUP'}`,
    'interface eth0',
    `virtual_router_id ${instance.vrid ?? 51 + index}`,
    `priority ${instance.priority}`,
    `advert_int ${instance.advertInt ?? 1}`,
    ...(version ? [`version ${version}`] : []),
    ...(instance.nopreempt ? ['nopreempt'] : []),
    ...(password ? [block('authentication', ['auth_type PASS', `auth_pass ${password}`])] : []),
    ...(unicast ? [`unicast_src_ip ${unicast.source}`, block('unicast_peer', unicast.peers)] : []),
    block('virtual_ipaddress', instance.vips),
    ...(instance.trackScripts ? [block('track_script', instance.trackScripts)] : []),
    ...(instance.extra ?? []),
  ]);
}

const block = (head: string, lines: readonly string[]): string =>
  `${head} {\n${lines.map((line) => line.trimEnd().replace(/^/gm, '    ')).join('\n')}\n}\n`;
