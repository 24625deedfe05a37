// The language of the control socket: one JSON object a line in each direction, versioned. Pure.
//   request  {"v":1,"verb":"status","name":"VI_1"}
//   answer   {"v":1,"ok":true,"result":…}  or  {"v":1,"ok":false,"error":{"code":"unknown-verb","message":"…"}}

export const PROTOCOL_VERSION = 1;
/** Where the socket and the like live unless --runtime-dir says otherwise. */
export const DEFAULT_RUNTIME_DIR = '/run/vipkeeper';
export const SOCKET_NAME = 'control.sock';
/** Bytes of a request line without its line feed. */
export const REQUEST_LIMIT = 64 * 1024;
/** Bytes of an answer a client takes: 255 virtual routers with all their scripts need about a tenth. */
export const ANSWER_LIMIT = 16 * 1024 * 1024;

/** A request as the handlers see it: the verb and whatever else the object held. */
export interface ControlRequest {
  readonly v: typeof PROTOCOL_VERSION;
  readonly verb: string;
  readonly [parameter: string]: unknown;
}

export type RequestFault = 'malformed' | 'too-long' | 'version' | 'unknown-verb' | 'timeout' | 'busy' | 'failed';

export type ControlAnswer =
  | { readonly v: typeof PROTOCOL_VERSION; readonly ok: true; readonly result: unknown }
  | {
      readonly v: typeof PROTOCOL_VERSION;
      readonly ok: false;
      /** A RequestFault, or a code of the verb's own. */
      readonly error: { readonly code: string; readonly message: string };
    };

export function success(result: unknown): ControlAnswer {
  return { v: PROTOCOL_VERSION, ok: true, result: result ?? null };
}

export function refusal(code: string, message: string): ControlAnswer {
  return { v: PROTOCOL_VERSION, ok: false, error: { code, message } };
}

/** The request in one line of bytes, or why there is none. */
export function parseRequest(
  line: Uint8Array,
): { readonly request: ControlRequest } | { readonly fault: RequestFault; readonly message: string } {
  const value = parseObject(line);
  if (value === undefined) return { fault: 'malformed', message: 'a request is one JSON object a line, in UTF-8' };
  if (value.v !== PROTOCOL_VERSION)
    return { fault: 'version', message: `this agent speaks version ${PROTOCOL_VERSION} of the control protocol` };
  if (typeof value.verb !== 'string') return { fault: 'malformed', message: 'the request names no verb' };
  return { request: value as unknown as ControlRequest };
}

/** The answer in one line of bytes; undefined: it is none. */
export function parseAnswer(line: Uint8Array): ControlAnswer | undefined {
  const value = parseObject(line);
  if (value?.v !== PROTOCOL_VERSION) return undefined;
  if (value.ok === true) return success(value.result);
  const error = value.error;
  if (value.ok !== false || !isObject(error)) return undefined;
  return refusal(String(error.code), String(error.message));
}

/** Everything either side may send, unchecked. */
type WireObject = Partial<Record<'v' | 'verb' | 'ok' | 'result' | 'error' | 'code' | 'message', unknown>>;

function parseObject(line: Uint8Array): WireObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
