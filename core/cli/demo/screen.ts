// What the demo's audience sees: lines with the seconds since the start, and a table. Colours only on a terminal.
import { styleText } from 'node:util';
import { now } from './recorder.ts';

export type Tone = 'act' | 'good' | 'bad' | 'plain' | 'aside';

const STYLES: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  act: ['bold', 'cyan'],
  good: 'green',
  bad: 'red',
  plain: 'reset',
  aside: 'dim',
};

export class Screen {
  #began = now();

  /** The clock starts at zero now. */
  begin(): void {
    this.#began = now();
  }

  /** Seconds since the beginning, at a time on the recorder's clock. */
  seconds(t = now()): number {
    return (t - this.#began) / 1000;
  }

  /** A line without a time. */
  line(text = '', tone: Tone = 'plain'): void {
    console.log(paint(text, tone));
  }

  /** A line with the time at which it happened. */
  event(text: string, tone: Tone = 'plain', t = now()): void {
    console.log(`${paint(`${this.seconds(t).toFixed(2).padStart(6)} s`, 'aside')}  ${paint(text, tone)}`);
  }

  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const width = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
    const format = (row: readonly string[]) =>
      row
        .map((cell, i) => cell.padEnd(width[i]!))
        .join('   ')
        .trimEnd();
    this.line(format(head), 'act');
    for (const row of rows) this.line(format(row));
  }
}

function paint(text: string, tone: Tone): string {
  return tone === 'plain' || text === '' ? text : styleText(STYLES[tone], text, { stream: process.stdout });
}
