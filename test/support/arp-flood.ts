// Run inside a host: claims an address by gratuitous ARP from its eth0. Arguments: ADDRESS MAC FRAMES-A-SECOND SECONDS.
// Prints how many frames went out.
import { readFileSync } from 'node:fs';
import { ip, type MacAddress } from '../../core/net/address.ts';
import { gratuitousArp } from '../../core/net/arp.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { LinuxNetwork } from '../../core/system/network.ts';

const [address = '', mac = '', rate = '1', lasting = '1'] = process.argv.slice(2);
const ifindex = Number(readFileSync('/sys/class/net/eth0/ifindex', 'utf8'));
const socket = new LinuxNetwork(loadNative()).frameSocket();
const frame = gratuitousArp(mac as MacAddress, ip(address));
const began = performance.now();
let sent = 0;
const more = () => {
  const due = Math.min(Number(lasting), (performance.now() - began) / 1000) * Number(rate);
  for (; sent < Math.max(1, due); sent++) socket.queue(frame, ifindex);
  socket.flush();
  if (performance.now() - began < Number(lasting) * 1000) setTimeout(more, 1);
  else console.log(sent);
};
more();
