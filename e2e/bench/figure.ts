/** One row of `npm run bench`; with `--json` these keys and no others. */
export interface Figure {
  name: string;
  value: number;
  unit: 'ms' | 's' | 'µs' | 'MB' | '1/s' | '%' | '';
  /** What it was measured against in the same run, with that one's value; null where there is no peer. */
  against: string | null;
  /** To the peer, as the aim reads it: how many times faster, or what part of its time. */
  ratio: number | null;
  aim: string | null;
  /** Whether the aim holds; null where there is none. */
  holds: boolean | null;
}

/** What a bench may use. */
export interface BenchContext {
  /** A folder of its own, removed afterwards. */
  dir: string;
  /** Progress, for the reader's patience. */
  log(line: string): void;
  signal: AbortSignal;
}

export interface Bench {
  name: string;
  /** One line for `--list`. */
  about: string;
  /** Throws when it could not run; an aim that does not hold is no failure. */
  run(context: BenchContext): Promise<Figure[]>;
}

/** A figure whose own value has an upper bound. */
export function atMost(name: string, value: number, unit: Figure['unit'], limit: number): Figure {
  const rounded = round(value);
  const aim = `≤ ${limit} ${unit}`.trimEnd();
  return { name, value: rounded, unit, against: null, ratio: null, aim, holds: rounded <= limit };
}

/** A figure on its own, without an aim. */
export function plain(name: string, value: number, unit: Figure['unit']): Figure {
  return { name, value: round(value), unit, against: null, ratio: null, aim: null, holds: null };
}

/** A time beside its peer's, without an aim. */
function paired(name: string, value: number, peer: { name: string; value: number }, ratio: number): Figure {
  return {
    ...plain(name, value, 'ms'),
    against: `${peer.name} ${round(peer.value)} ms`,
    ratio: round(ratio),
  };
}

/** A time that should be a part of the peer's: the ratio is value / peer. */
export function partOf(
  name: string,
  value: number,
  peer: { name: string; value: number },
  ratio: number,
  limit?: number,
): Figure {
  const row = paired(name, value, peer, ratio);
  if (limit === undefined) return row;
  return { ...row, aim: `≤ ${limit} of its time`, holds: round(ratio) <= limit };
}

/** A time that should be many times shorter than the peer's: the ratio is peer / value. */
export function timesFaster(
  name: string,
  value: number,
  peer: { name: string; value: number },
  ratio: number,
  limit?: number,
): Figure {
  const row = paired(name, value, peer, ratio);
  if (limit === undefined) return row;
  return { ...row, aim: `≥ ${limit}×`, holds: round(ratio) >= limit };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which that part of the values lies (the next one up, never one between two). */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))]!;
}

/** Three digits that count. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}
