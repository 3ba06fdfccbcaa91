/** Says what the demo is doing: one line a step, with the seconds since the start. */
export class Progress {
  readonly #started = Date.now();
  #lastState = '';
  #lastAt = 0;

  step(text: string): void {
    console.error(`${this.#clock()} ${text}`);
  }

  /** A state that is waited for: shown when it changes, and every five seconds while it does not. */
  waiting(text: string): void {
    if (text === this.#lastState && Date.now() - this.#lastAt < 5_000) return;
    this.#lastState = text;
    this.#lastAt = Date.now();
    console.error(`${this.#clock()}   … ${text}`);
  }

  get seconds(): number {
    return Math.round((Date.now() - this.#started) / 1000);
  }

  #clock(): string {
    return `[${String(this.seconds).padStart(3)} s]`;
  }
}
