import type { RolloutEvent } from '../types.ts';

/** A time from which something did not go on, until then; undefined: it still does not. */
interface Gap {
  from: number;
  until: number | undefined;
}

/** How much of a time counts towards deadlines: not while no hub was there, nor while a window was closed. */
export class DeadlineClock {
  readonly #away: Gap[] = [];
  readonly #closed = new Map<string, Gap[]>();

  note(now: number, events: readonly RolloutEvent[]): void {
    for (const event of events) {
      if (event.kind === 'outage') this.#away.push({ from: now - event.ms, until: now });
      if (event.kind !== 'window-closed' && event.kind !== 'window-opened') continue;
      const gaps = this.#closed.get(event.target) ?? [];
      this.#closed.set(event.target, gaps);
      if (event.kind === 'window-opened') this.open(event.target, now);
      else if (!this.isHeld(event.target)) gaps.push({ from: now, until: undefined });
    }
  }

  /** Milliseconds since a hub was last away. */
  sinceOutage(now: number): number {
    return now - Math.max(...this.#away.map(({ until }) => until!), -Infinity);
  }

  open(target: string, now: number): void {
    for (const gap of this.#closed.get(target) ?? []) gap.until ??= now;
  }

  isHeld(target: string): boolean {
    return (this.#closed.get(target) ?? []).some(({ until }) => until === undefined);
  }

  /** Milliseconds from one time to another without those in a gap; gaps that overlap are counted once. */
  passed(target: string, from: number, now: number): number {
    const gaps = [...this.#away, ...(this.#closed.get(target) ?? [])]
      .map((gap) => ({ from: Math.max(from, gap.from), until: Math.min(now, gap.until ?? now) }))
      .filter((gap) => gap.until > gap.from)
      .sort((a, b) => a.from - b.from);
    let [missed, at] = [0, from];
    for (const gap of gaps) {
      missed += Math.max(0, gap.until - Math.max(at, gap.from));
      at = Math.max(at, gap.until);
    }
    return now - from - missed;
  }
}
