/** What a cluster makes of a bundle that it is given. */
export type Outcome =
  | 'healthy'
  /** Applied, then Degraded, for as long as it holds this. */
  | 'degraded'
  /** Applied, and Progressing without end. */
  | 'stuck'
  /** Healthy, but its agent falls silent in the middle of applying, and comes back later. */
  | 'silent'
  /** Healthy, then Progressing, then healthy for good. */
  | 'flapping';

/** One bundle of one Application in one cluster. */
export interface Trial {
  cluster: string;
  application: string;
  digest: string;
}

/** Times in milliseconds, from the arrival of the assignment on: applied, then settled that much later. */
export interface Conduct {
  outcome: Outcome;
  applyMs: number;
  settleMs: number;
  /** How long a silent agent is away, or a flapping Application Progressing. */
  awayMs: number;
}

/** Asked once for each assignment that arrives. */
export type Behaviour = (trial: Trial) => Conduct;

type Range = readonly [from: number, to: number];

/** How likely what is; what is left is healthy. */
export interface Odds {
  applyMs: Range;
  settleMs: Range;
  awayMs: Range;
  degraded: number;
  stuck: number;
  silent: number;
  flapping: number;
}

/** Everything becomes healthy within half a second. */
export const CALM: Odds = {
  applyMs: [50, 200],
  settleMs: [50, 300],
  awayMs: [500, 2_000],
  degraded: 0,
  stuck: 0,
  silent: 0,
  flapping: 0,
};

/** Conduct by a seed: the same cluster does the same with the same bundle, in whatever order things happen. */
export function behaviourOf(seed: number, odds: Partial<Odds> = {}): Behaviour {
  const all = { ...CALM, ...odds };
  return ({ cluster, application, digest }) => {
    const roll = (what: string) => chance(seed, what, cluster, application, digest);
    const within = (what: string, [from, to]: Range) => from + (to - from) * roll(what);
    let left = roll('outcome');
    let outcome: Outcome = 'healthy';
    for (const one of ['degraded', 'stuck', 'silent', 'flapping'] as const) {
      if (left < all[one]) {
        outcome = one;
        break;
      }
      left -= all[one];
    }
    return {
      outcome,
      applyMs: within('apply', all.applyMs),
      settleMs: within('settle', all.settleMs),
      awayMs: within('away', all.awayMs),
    };
  };
}

/** A number in [0, 1) that depends on the seed and the words alone. */
export function chance(seed: number, ...words: readonly (string | number)[]): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (const char of words.join('\n')) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
