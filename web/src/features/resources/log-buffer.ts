import type { LogLine } from '@muster/api';

/** What is kept of a log in the page: the newest lines, and not more characters than this. */
export const KEPT_LINES = 5_000;
const KEPT_CHARACTERS = 4_000_000;

/** A line with a number that it keeps for as long as it is there. */
export interface KeptLine extends LogLine {
  number: number;
}

/** The newest lines of a log. Old ones are let go, and counted. */
export class LogBuffer {
  #lines: KeptLine[] = [];
  #characters = 0;
  #next = 1;

  /** How many lines were let go. */
  get dropped(): number {
    return this.#next - 1 - this.#lines.length;
  }

  /** All that is kept, oldest first; another array after each `add`. */
  get lines(): readonly KeptLine[] {
    return this.#lines;
  }

  add(lines: readonly LogLine[]): void {
    if (lines.length === 0) return;
    const all = [...this.#lines, ...lines.map((line) => ({ ...line, number: this.#next++ }))];
    for (const { text } of lines) this.#characters += text.length;
    let from = Math.max(0, all.length - KEPT_LINES);
    for (const { text } of all.slice(0, from)) this.#characters -= text.length;
    while (this.#characters > KEPT_CHARACTERS && from < all.length - 1)
      this.#characters -= all[from++]!.text.length;
    this.#lines = from > 0 ? all.slice(from) : all;
  }
}

/** Lines that hold a text, in any case. */
export function matchingLines(lines: readonly KeptLine[], filter: string): readonly KeptLine[] {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return lines;
  return lines.filter(({ text, pod }) => text.toLowerCase().includes(wanted) || pod.includes(wanted));
}
