// How long, for people: the two largest units that matter. Pure.

/** `0.4s`, `45s`, `3m12s`, `5h07m`, `12d04h`. Negative durations (a clock that was set) count as zero. @param ms milliseconds */
export function formatDuration(ms: number): string {
  if (!(ms > 0)) return '0.0s';
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)}s`;
  const total = Math.round(ms / 1_000);
  const [seconds, minutes, hours] = [total % 60, Math.floor(total / 60) % 60, Math.floor(total / 3_600) % 24];
  const days = Math.floor(total / 86_400);
  if (days > 0) return `${days}d${two(hours)}h`;
  if (hours > 0) return `${hours}h${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m${two(seconds)}s` : `${seconds}s`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
