// The native addon, or what stands in its place where it does not load: the same functions, each of which refuses as a
// kernel without that call would. So whoever asks for something that is not vital goes on without it.
import { loadNative, type Native, NativeAddonError } from '../system/native/index.ts';

const reasons = new WeakMap<Native, NativeAddonError>();

/** Never throws because of the addon: `whyAbsent` tells. */
export function nativeOrAbsent(): Native {
  try {
    return loadNative();
  } catch (error) {
    if (!(error instanceof NativeAddonError)) throw error;
    return absentNative(error);
  }
}

/** Why there is no addon behind this; undefined: there is. */
export const whyAbsent = (native: Native): NativeAddonError | undefined => reasons.get(native);

function absentNative(reason: NativeAddonError): Native {
  const absent = new Proxy({} as Native, {
    get(_target, syscall) {
      // Whoever awaits it, or looks what it is, asks for these.
      if (typeof syscall === 'symbol' || syscall === 'then') return undefined;
      return () => {
        const message = `${syscall} needs the native addon, which does not load`;
        throw Object.assign(new Error(message, { cause: reason }), { code: 'ENOSYS', errno: 38, syscall });
      };
    },
  });
  reasons.set(absent, reason);
  return absent;
}
