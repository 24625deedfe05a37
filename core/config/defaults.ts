// Defaults of the command line that are keepalived's, so that its users need not say anything.

export const DEFAULT_CONFIG_FILE = '/etc/keepalived/keepalived.conf';
