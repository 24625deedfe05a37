// How an agent ended, for whoever started it. keepalived's numbers where it has one.

export const EXIT_STOPPED = 0;
export const EXIT_FAILED = 1;
export const EXIT_CONFIGURATION = 2;
/** sysexits EX_SOFTWARE, as keepalived's program error. */
export const EXIT_BUG = 70;
