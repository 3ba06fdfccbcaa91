import { isRecord, type KubeObject } from '../object.ts';
import { MASK, isSecret, redact, redactText } from '../redact.ts';

const BEFORE = `${MASK} (before)`;
const AFTER = `${MASK} (after)`;

/** Both sides without secret values. Where a masked value is not the same on both, the masks say which side is which. */
export function maskSides(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
  secrets: ReadonlySet<string>,
): [KubeObject | undefined, KubeObject | undefined] {
  const [old, now] = maskTexts(redact(before), redact(after), secrets) as [
    KubeObject | undefined,
    KubeObject | undefined,
  ];
  if (!old || !now || !before || !after || !isSecret(after)) return [old, now];
  for (const field of ['data', 'stringData'] as const)
    markChanged([before[field], after[field]], [old, now], field);
  return [old, now];
}

/** Values of a Secret that are on both sides and differ get masks that differ. */
function markChanged(
  [before, after]: [unknown, unknown],
  [old, now]: [KubeObject, KubeObject],
  field: 'data' | 'stringData',
): void {
  if (!isRecord(before) || !isRecord(after) || !isRecord(old[field]) || !isRecord(now[field])) return;
  for (const key of Object.keys(before)) {
    if (!(key in after) || before[key] === after[key]) continue;
    (old[field] as Record<string, unknown>)[key] = BEFORE;
    (now[field] as Record<string, unknown>)[key] = AFTER;
  }
}

/** Copies of two JSON values with secrets masked in their strings and numbers. */
function maskTexts(before: unknown, after: unknown, secrets: ReadonlySet<string>): [unknown, unknown] {
  if (isPlain(before) && isPlain(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    const old: Record<string, unknown> = {};
    const now: Record<string, unknown> = {};
    for (const key of keys) {
      const [a, b] = maskTexts(before[key], after[key], secrets);
      if (key in before) old[key] = a;
      if (key in after) now[key] = b;
    }
    return [old, now];
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const pairs = Array.from({ length: Math.max(before.length, after.length) }, (_, i) =>
      maskTexts(before[i], after[i], secrets),
    );
    return [pairs.slice(0, before.length).map(([a]) => a), pairs.slice(0, after.length).map(([, b]) => b)];
  }
  if (typeof before === 'object' || typeof after === 'object')
    return [maskOne(before, secrets), maskOne(after, secrets)];
  const [a, b] = [maskOne(before, secrets), maskOne(after, secrets)];
  // Masked to the same, and not the same: what stands there changed.
  if (a === b && before !== after && typeof a === 'string') return [`${a} (before)`, `${a} (after)`];
  return [a, b];
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function maskOne(value: unknown, secrets: ReadonlySet<string>): unknown {
  if (typeof value === 'string') return redactText(value, secrets);
  if (typeof value === 'number') return secrets.has(String(value)) ? MASK : value;
  if (Array.isArray(value)) return value.map((one) => maskOne(one, secrets));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, maskOne(member, secrets)]));
}
