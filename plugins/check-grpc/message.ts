// The two messages of grpc.health.v1.Health/Check in the wire format of protocol buffers, framed as gRPC does. Pure.

/** HealthCheckResponse.ServingStatus */
const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
export type ServingStatus = (typeof SERVING_STATUS)[number];

/** Not compressed, and the length of the message. */
const FRAME = 5;
/** HealthCheckRequest.service: field 1, length-delimited. */
const SERVICE = 0x0a;
/** HealthCheckResponse.status: field 1, varint. */
const STATUS = 0x08;

/** HealthCheckRequest { service }, framed. @param service at most 16 KiB of UTF-8 */
export function healthRequest(service: string): Uint8Array {
  const name = new TextEncoder().encode(service);
  const message = name.length === 0 ? [] : [SERVICE, ...varint(name.length), ...name];
  const framed = new Uint8Array(FRAME + message.length);
  new DataView(framed.buffer).setUint32(1, message.length);
  framed.set(message, FRAME);
  return framed;
}

/** The status of a framed HealthCheckResponse; undefined: it is none. An empty message means UNKNOWN, the default. */
export function servingStatus(framed: Uint8Array): ServingStatus | undefined {
  if (framed.length < FRAME || framed[0] !== 0) return undefined;
  const length = new DataView(framed.buffer, framed.byteOffset).getUint32(1);
  if (length !== framed.length - FRAME) return undefined;
  if (length === 0) return 'UNKNOWN';
  return length === 2 && framed[FRAME] === STATUS ? SERVING_STATUS[framed[FRAME + 1]!] : undefined;
}

function varint(n: number): readonly number[] {
  return n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...varint(n >> 7)];
}
