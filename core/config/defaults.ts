// What the command line shares with the file: defaults that are keepalived's, so that its users need not say anything.

export const DEFAULT_CONFIG_FILE = '/etc/keepalived/keepalived.conf';

/** What can carry the adverts. */
export const TRANSPORTS = ['native', 'raw-socket'] as const;
