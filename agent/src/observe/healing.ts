import type { Writer } from './live-object.ts';

/** An object that is healed more often than this is fought over, and left alone for a while. */
const HEALS = 5;
const WITHIN_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 30 * 60_000;
/** A healed object that stays as it is for so long is no longer called fought over. */
const CALM_MS = 10_000;

interface History {
  healed: number[];
  pauses: number;
  pausedUntil: number;
  /** Who wrote what was healed the last time. */
  writer: Writer | undefined;
}

/** An object that someone else writes again and again. */
export interface Fight {
  key: string;
  heals: number;
  pausedUntil: number;
  /** Undefined: it was deleted, or nobody's name is in its managed fields. */
  writer: Writer | undefined;
}

/** Bounds self-heal: someone who writes a field again and again wins nothing, and costs little. Pure; time is passed in. */
export class HealBudget {
  private readonly histories = new Map<string, History>();

  /** 0: heal now. Else the time until which this object is left alone. */
  pausedUntil(key: string, nowMs: number): number {
    const history = this.histories.get(key);
    return history && history.pausedUntil > nowMs ? history.pausedUntil : 0;
  }

  /**
   * Notes a heal and whose change it undid. The sixth within ten minutes begins a pause; a further one within ten
   * minutes of a pause begins the next, twice as long.
   */
  healed(key: string, nowMs: number, writer?: Writer): void {
    const known = this.histories.get(key);
    const isOver = known === undefined || nowMs - known.pausedUntil >= WITHIN_MS;
    const pauses = isOver ? 0 : known.pauses;
    const healed = [...(known?.healed ?? []).filter((at) => nowMs - at < WITHIN_MS), nowMs];
    const isFought = pauses > 0 || healed.length > HEALS;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** pauses, LONGEST_PAUSE_MS);
    this.histories.set(key, {
      healed,
      pauses: isFought ? pauses + 1 : 0,
      pausedUntil: isFought ? nowMs + pause : 0,
      writer,
    });
  }

  /** What is fought over now: paused, and drifted again or healed only just. */
  fights(nowMs: number, hasDrifted: (key: string) => boolean): Fight[] {
    const found: Fight[] = [];
    for (const [key, { healed, pausedUntil, writer }] of this.histories) {
      if (pausedUntil <= nowMs || (nowMs - healed.at(-1)! >= CALM_MS && !hasDrifted(key))) continue;
      found.push({ key, heals: healed.length, pausedUntil, writer });
    }
    return found;
  }

  /** Milliseconds until `fights` may answer something else by itself; undefined: it will not. */
  calmIn(nowMs: number): number | undefined {
    let soonest: number | undefined;
    for (const { healed, pausedUntil } of this.histories.values()) {
      if (pausedUntil <= nowMs) continue;
      const calmAt = healed.at(-1)! + CALM_MS;
      const next = Math.min(pausedUntil, calmAt > nowMs ? calmAt : Infinity) - nowMs;
      soonest = Math.min(soonest ?? Infinity, next);
    }
    return soonest;
  }

  /** Begins anew, for example because there is another bundle. */
  clear(): void {
    this.histories.clear();
  }
}
