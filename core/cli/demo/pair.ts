// The demo's pair: two load balancers with one virtual IP, as a tutorial for keepalived writes them down, unchanged but
// for the path of the script and its interval. Pure texts.

export const VIP = '192.168.10.121';
export const SERVICE_PORT = 7000;

export interface Balancer {
  readonly name: 'LB1' | 'LB2';
  readonly address: string;
  readonly peer: string;
  readonly routerId: string;
  readonly state: 'MASTER' | 'BACKUP';
  readonly priority: number;
  /** Added while the script succeeds when positive, while it fails when negative. */
  readonly weight: number;
}

export const LB1: Balancer = {
  name: 'LB1',
  address: '192.168.10.111',
  peer: '192.168.10.112',
  routerId: 'keep_231',
  state: 'MASTER',
  priority: 101,
  weight: -10,
};

export const LB2: Balancer = {
  name: 'LB2',
  address: '192.168.10.112',
  peer: '192.168.10.111',
  routerId: 'keep_232',
  state: 'BACKUP',
  priority: 90,
  weight: 10,
};

export const configuration = ({ routerId, state, priority, weight, address, peer }: Balancer, script: string): string =>
  `! Configuration File for keepalived

global_defs {
    router_id ${routerId}
    script_user root
}

vrrp_script check_sample_alive {
    script "${script}"
    interval 1
    weight ${weight}
}

vrrp_instance VI_1 {
    state ${state}
    interface eth0
    virtual_router_id 51
    priority ${priority}
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }

    track_script {
        check_sample_alive
    }

    unicast_src_ip ${address}
    unicast_peer {
        ${peer}
    }
    virtual_ipaddress {
        ${VIP}
    }
}
`;

/** Fails when the process whose id is in the file is gone. */
export const checkScript = (pidFile: string): string => `#!/bin/sh
kill -0 "$(cat ${pidFile})" 2>/dev/null
`;
