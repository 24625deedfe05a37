// Options of plugins that speak TLS: whom to believe, and by which name. Plain data, and what to hand to node:tls.
import type { OptionValues } from './options.ts';

export const tlsOptions = {
  sni: { kind: 'text', help: 'name to ask for and to find in the certificate; default: the host, where it is a name' },
  verify: {
    kind: 'flag',
    default: true,
    help: 'the certificate must be valid, of a known authority and for that name',
  },
  ca: { kind: 'text', help: 'file with certificates of authorities to believe besides those of the system' },
} as const;

export type TlsValues = OptionValues<typeof tlsOptions>;

/** Why a TLS connection failed, by the code of the error (node:tls, OpenSSL's names); undefined: it was not TLS. */
export function tlsFailure(code: string | undefined): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'the certificate has expired';
    case 'CERT_NOT_YET_VALID':
      return 'the certificate is not valid yet';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'the certificate is for another name';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return 'the certificate is self-signed';
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'the certificate is of an unknown authority';
    case 'EPROTO':
      return 'no TLS is spoken there';
    default:
      return code?.startsWith('ERR_SSL_') ? 'no TLS is spoken there' : undefined;
  }
}
