/** The hub's time, as an agent knows it. */
export interface HubTime {
  /** Unix milliseconds of the hub's clock. */
  nowMs: number;
  /** The hub was heard within its lease; false: `nowMs` goes by what was learned at an earlier time. */
  heard: boolean;
}

/** How much the offset must differ from what was kept, to be kept anew. */
const KEPT_WITHIN_MS = 1_000;

/** The hub's clock seen from an agent: learned at each welcome and each answer to a heartbeat. Pure: it is told the time. */
export class HubClock {
  #offsetMs: number | undefined;
  #keptMs: number | undefined;
  #heardAtMs: number | undefined;
  #leaseMs = 0;

  /** @param keptMs the offset as an earlier process learned it. */
  constructor(keptMs: number | undefined) {
    this.#offsetMs = keptMs;
    this.#keptMs = keptMs;
  }

  /** Milliseconds to add to this machine's clock to get the hub's; undefined: no hub was ever heard. */
  get offsetMs(): number | undefined {
    return this.#offsetMs;
  }

  /** The hub has told its time. Answers the offset where that is to be kept for the next start. */
  learn(hubTimeMs: number, nowMs: number, leaseMs?: number): number | undefined {
    const offsetMs = hubTimeMs - nowMs;
    this.#offsetMs = offsetMs;
    this.#heardAtMs = nowMs;
    this.#leaseMs = leaseMs ?? this.#leaseMs;
    if (this.#keptMs !== undefined && Math.abs(offsetMs - this.#keptMs) < KEPT_WITHIN_MS) return undefined;
    this.#keptMs = offsetMs;
    return offsetMs;
  }

  /** A clock of this machine that was set, by more than the lease or back, makes the hub unheard until it tells its time again. */
  read(nowMs: number): HubTime {
    const since = this.#heardAtMs === undefined ? undefined : nowMs - this.#heardAtMs;
    const heard = since !== undefined && since >= 0 && since <= this.#leaseMs;
    return { nowMs: nowMs + (this.#offsetMs ?? 0), heard };
  }
}
