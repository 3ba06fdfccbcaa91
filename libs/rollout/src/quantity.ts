/** A number of targets, or a percentage of them. */
export type Quantity = { count: number } | { percent: number };

/**
 * How many of `total` a quantity stands for, where at least one has to move: a percentage is rounded down, but anything
 * above 0 % is at least 1 (as `maxUpdate` of Argo CD's rollingSync). 0 and 0 % are 0.
 */
export function shareOf(quantity: Quantity, total: number): number {
  if ('count' in quantity) return quantity.count;
  return quantity.percent === 0 ? 0 : Math.max(1, roundedDown(quantity.percent, total));
}

/** How many of `total` may fail: a percentage is rounded down, so 10 % of 5 tolerates none. */
export function toleratedOf(quantity: Quantity, total: number): number {
  return 'count' in quantity ? quantity.count : roundedDown(quantity.percent, total);
}

/** As it is written in a policy: `3`, `25%`. */
export function quantityText(quantity: Quantity): string {
  return 'count' in quantity ? String(quantity.count) : `${quantity.percent}%`;
}

/** Reads `3`, `"25%"`; undefined for anything else, and for percentages above 100. */
export function parseQuantity(written: unknown): Quantity | undefined {
  if (typeof written === 'number')
    return Number.isSafeInteger(written) && written >= 0 ? { count: written } : undefined;
  const percent = typeof written === 'string' ? /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(written) : null;
  return percent && Number(percent[1]) <= 100 ? { percent: Number(percent[1]) } : undefined;
}

/** The tolerance is far below any percentage that can be written: 0.1 % of 3000 is 3, not 2. */
function roundedDown(percent: number, total: number): number {
  return Math.floor((total * percent) / 100 + 1e-9);
}
