// Socket buffers beyond the system's limit where CAP_NET_ADMIN allows, within it otherwise. socket(7)
import { SO_RCVBUF, SO_RCVBUFFORCE, SO_SNDBUF, SO_SNDBUFFORCE, SOL_SOCKET } from './linux.ts';
import type { Handle, Native } from './native/index.ts';

/** Room for `bytes` of waiting packets; the kernel doubles it for its bookkeeping and counts that too. */
export function setReceiveBuffer(native: Native, handle: Handle, bytes: number): void {
  force(native, handle, SO_RCVBUFFORCE, SO_RCVBUF, bytes);
}

export function setSendBuffer(native: Native, handle: Handle, bytes: number): void {
  force(native, handle, SO_SNDBUFFORCE, SO_SNDBUF, bytes);
}

function force(native: Native, handle: Handle, forced: number, limited: number, bytes: number): void {
  try {
    native.setsockopt(handle, SOL_SOCKET, forced, bytes);
  } catch {
    native.setsockopt(handle, SOL_SOCKET, limited, bytes); // EPERM: as much as net.core.rmem_max allows
  }
}
