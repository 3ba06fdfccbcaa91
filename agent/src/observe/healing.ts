/** How often one object may be put back before it is left alone for a while. */
const HEALS = 5;
const WITHIN_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 30 * 60_000;

interface History {
  healed: number[];
  pauses: number;
  pausedUntil: number;
}

/** Bounds self-heal: someone who writes a field again and again wins nothing, and costs little. Pure; time is passed in. */
export class HealBudget {
  private readonly histories = new Map<string, History>();

  /** 0: heal now. Else the time until which this object is left alone. */
  pausedUntil(key: string, nowMs: number): number {
    const history = this.histories.get(key);
    return history && history.pausedUntil > nowMs ? history.pausedUntil : 0;
  }

  /** Notes a heal; the fifth within ten minutes begins a pause, each one twice as long as the one before. */
  healed(key: string, nowMs: number): void {
    const history = this.histories.get(key) ?? { healed: [], pauses: 0, pausedUntil: 0 };
    const recent = history.healed.filter((at) => nowMs - at < WITHIN_MS);
    recent.push(nowMs);
    if (recent.length >= HEALS) {
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** history.pauses, LONGEST_PAUSE_MS);
      this.histories.set(key, { healed: [], pauses: history.pauses + 1, pausedUntil: nowMs + pause });
      return;
    }
    const calm = history.healed.length > 0 && recent.length === 1;
    this.histories.set(key, { healed: recent, pauses: calm ? 0 : history.pauses, pausedUntil: 0 });
  }

  /** Objects that are left alone now. */
  paused(nowMs: number): string[] {
    return [...this.histories].filter(([, each]) => each.pausedUntil > nowMs).map(([key]) => key);
  }

  /** Begins anew, for example because there is another bundle. */
  clear(): void {
    this.histories.clear();
  }
}
