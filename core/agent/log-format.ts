// The shapes a log can have: ours for people, keepalived's phrases for those who have rules for them, JSON for programs.
import type { LogFormatter } from './log.ts';
import { textLines } from './log.ts';
import { keepalivedLines } from './log-keepalived.ts';

export const LOG_FORMATS = ['text', 'keepalived', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export function logFormatter(format: LogFormat): LogFormatter {
  switch (format) {
    case 'text':
      return textLines;
    case 'json':
      return (level, event, fields, time) => [
        JSON.stringify({ ...(time !== undefined && { time: new Date(time).toISOString() }), level, event, ...fields }),
      ];
    case 'keepalived': {
      const memory = new Map<string, string>();
      return (level, event, fields, time) => {
        const prefix = time === undefined ? '' : `${clockText(time)}: `;
        return keepalivedLines(level, event, fields, memory).map((line) => prefix + line);
      };
    }
  }
}

/** `Sat Nov 21 08:37:45 2026`, local time, as ctime(3). */
function clockText(time: number): string {
  const date = new Date(time);
  const [weekday, month, day, year] = date.toDateString().split(' ');
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${date.toTimeString().slice(0, 8)} ${year}`;
}
