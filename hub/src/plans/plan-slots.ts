import { RateLimited } from '../access/login-limit.ts';

/** How many wait at most: whoever comes later is told to come again. */
const MAX_WAITING = 50;

/** Lets a few plans run at a time, the others in their order. */
export class PlanSlots {
  readonly #atOnce: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Runs `work` when it is its turn; `wait` is told how many are before it. Leaves the line when the signal ends. */
  async run<T>(work: () => Promise<T>, wait: (before: number) => void, signal: AbortSignal): Promise<T> {
    await this.#enter(wait, signal);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The place goes on to the next one.
      if (next) next();
      else this.#running--;
    }
  }

  async #enter(wait: (before: number) => void, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#atOnce) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) throw new RateLimited('too many plans wait already', 30);
    wait(this.#waiting.length + 1);
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason as Error);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }
}
