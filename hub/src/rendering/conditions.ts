import { MusterError } from '@muster/base';
import type { ApplicationCondition } from '../store/schema.ts';

/** A condition before it is known since when. */
export interface NewCondition {
  type: string;
  message: string;
}

const NOTICES = new Set(['UnsupportedField', 'HookIgnored', 'RepeatedResourceWarning', 'RenderNotice']);

/** Whether conditions of this type are only there to be read: an Application that has them was rendered all the same. */
export function isNotice(type: string): boolean {
  return NOTICES.has(type);
}

/** The condition that an error becomes: what was wrong, where, and what to do. */
export function errorCondition(type: string, thrown: unknown): NewCondition {
  const error = MusterError.from(thrown);
  return { type, message: error.describe().slice(0, 4000) };
}

/** Conditions that stay keep the time since when they are there; `changed` tells whether anything must be written. */
export function mergeConditions(
  before: readonly ApplicationCondition[],
  found: readonly NewCondition[],
  now: Date,
): { conditions: ApplicationCondition[]; changed: boolean } {
  const known = new Map(before.map((condition) => [keyOf(condition), condition]));
  const distinct = new Map(found.map((condition) => [keyOf(condition), condition]));
  const conditions = [...distinct].map(
    ([key, condition]) => known.get(key) ?? { ...condition, since: now.toISOString() },
  );
  const changed =
    conditions.length !== before.length ||
    conditions.some((condition, i) => keyOf(condition) !== keyOf(before[i]!));
  return { conditions, changed };
}

function keyOf(condition: NewCondition): string {
  return `${condition.type} ${condition.message}`;
}
