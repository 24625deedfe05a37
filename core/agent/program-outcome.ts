// The end of a program in words: for logs, reasons of faults and the status. Pure.
import type { ProcessFailure } from '../ports/process.ts';

/** `exit code 1`, `killed by SIGSEGV`, `timed out after 2 s`, `could not be started: …`. */
export function describeFailure(failure: ProcessFailure): string {
  switch (failure.type) {
    case 'exit':
      return `exit code ${failure.code}`;
    case 'signal':
      return `killed by ${failure.signal}`;
    case 'timeout':
      return `timed out after ${failure.after / 1_000_000} s`;
    case 'aborted':
      return 'stopped by vipkeeper';
    case 'spawn':
      return `could not be started: ${failure.message}`;
  }
}

/** The last line with something in it, without control characters, cut to `limit` characters. */
export function lastLine(output: string, limit = 200): string {
  const lines = output.split(/[\r\n]+/);
  for (let i = lines.length - 1; i >= 0; i--) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a program prints must not steer a terminal
    const line = lines[i]!.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
    if (line !== '') return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
  }
  return '';
}
