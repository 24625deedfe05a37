// A small Ethernet in network namespaces: hosts, each with one eth0, around a bridge. For the demo and the tests.
// Knows nothing of VRRP. Names start with a prefix of the caller's, so several networks can exist side by side.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface HostPlan {
  readonly name: string;
  /** With prefix length: '192.0.2.1/24'. */
  readonly address: string;
}

export interface Host {
  readonly name: string;
  readonly namespace: string;
  /** Its port on the bridge, in the bridge's namespace; at most 15 characters. */
  readonly port: string;
  /** Without prefix length. */
  readonly address: string;
}

/** Runs a command; returns what it prints. @throws Error with what it complained about */
export async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(command, args, { encoding: 'utf8', env: toolEnvironment() });
  return stdout;
}

/** The environment for tools and daemons: those that live in sbin are found, too. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };
}

/** The file that stands for a namespace made by `ip netns`. */
export const namespaceFile = (namespace: string): string => `/run/netns/${namespace}`;

/** The arguments that run a command inside a namespace: spawn('ip', inside(…)). The process keeps its id. */
export const inside = (namespace: string, ...argv: readonly string[]): string[] => [
  'netns',
  'exec',
  namespace,
  ...argv,
];

/** Process ids of what runs in a namespace. */
export async function processesIn(namespace: string): Promise<readonly number[]> {
  const text = await run('ip', 'netns', 'pids', namespace);
  return text.split(/\s+/).filter(Boolean).map(Number);
}

/** Ends what runs in these namespaces, and deletes them. */
export async function removeNamespaces(namespaces: readonly string[]): Promise<void> {
  for (const namespace of namespaces) {
    for (const pid of await processesIn(namespace).catch(() => []))
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone by itself.
      }
    await run('ip', 'netns', 'del', namespace).catch(() => {});
  }
}

export class Network implements AsyncDisposable {
  readonly bridge: string;
  readonly hosts: ReadonlyMap<string, Host>;

  private constructor(bridge: string, hosts: ReadonlyMap<string, Host>) {
    this.bridge = bridge;
    this.hosts = hosts;
  }

  /** Makes the namespaces PREFIX-br and PREFIX-NAME for each host. @throws Error when it may not */
  static async create(prefix: string, plans: readonly HostPlan[]): Promise<Network> {
    const bridge = `${prefix}-br`;
    const hosts = new Map(
      plans.map(({ name, address }) => [
        name,
        { name, namespace: `${prefix}-${name}`, port: `p-${name}`.slice(0, 15), address: address.split('/')[0]! },
      ]),
    );
    const network = new Network(bridge, hosts);
    try {
      await network.#build(plans);
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  async #build(plans: readonly HostPlan[]): Promise<void> {
    await run('ip', 'netns', 'add', this.bridge);
    // A bridge that forwards at once and floods multicast, as a plain switch does.
    await this.#ip(this.bridge, 'link add br0 type bridge forward_delay 0 mcast_snooping 0', 'link set br0 up');
    for (const { name, address } of plans) {
      const { namespace, port } = this.host(name);
      await run('ip', 'netns', 'add', namespace);
      await this.#ip(
        this.bridge,
        `link add ${port} type veth peer name eth0 netns ${namespace}`,
        `link set ${port} master br0 up`,
      );
      await this.#ip(namespace, `addr add ${address} dev eth0`, 'link set lo up', 'link set eth0 up');
      // A router without the VIP must lose a probe, not pass it on.
      await run('ip', ...inside(namespace, 'sh', '-c', 'echo 0 >/proc/sys/net/ipv4/ip_forward')).catch(() => {});
    }
  }

  /** @throws Error when there is none of this name */
  host(name: string): Host {
    const host = this.hosts.get(name);
    if (!host) throw new Error(`no host ${name} in this network`);
    return host;
  }

  /** Runs `ip` commands in a namespace, one after the other. */
  async #ip(namespace: string, ...commands: readonly string[]): Promise<void> {
    for (const command of commands) await run('ip', '-n', namespace, ...command.split(' '));
  }

  /** Plugs a host's cable in or pulls it: its eth0 loses its carrier. */
  async cable(name: string, state: 'in' | 'out'): Promise<void> {
    await this.#ip(this.bridge, `link set ${this.host(name).port} ${state === 'in' ? 'up' : 'down'}`);
  }

  /** Sets a host's own eth0 up or down. */
  async link(name: string, state: 'up' | 'down'): Promise<void> {
    await this.#ip(this.host(name).namespace, `link set eth0 ${state}`);
  }

  /** Runs a command in a host; returns what it prints. */
  exec(name: string, ...argv: readonly string[]): Promise<string> {
    return run('ip', ...inside(this.host(name).namespace, ...argv));
  }

  async close(): Promise<void> {
    await removeNamespaces([...[...this.hosts.values()].map((host) => host.namespace), this.bridge]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
