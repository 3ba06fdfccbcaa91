import type { Outage } from './outages.repository.ts';

/** Milliseconds of outages after a time; what is in two of them counts once. */
export function outageAfter(outages: readonly Outage[], afterMs: number): number {
  let [sum, seen] = [0, afterMs];
  for (const { fromMs, untilMs } of [...outages].sort((a, b) => a.fromMs - b.fromMs)) {
    sum += Math.max(0, untilMs - Math.max(fromMs, seen));
    seen = Math.max(seen, untilMs);
  }
  return Math.round(sum);
}
