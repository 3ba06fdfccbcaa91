import { isRecord } from '../object.ts';

/** A field that holds something else than its type allows: the check answers Unknown with this message. */
export class FieldError extends Error {}

/** One entry of `status.conditions`; fields that are missing are empty. */
export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

/** The value at a path of keys, or undefined. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    if (Array.isArray(current)) current = current[Number(key)];
    else if (isRecord(current) && Object.hasOwn(current, key)) current = current[key];
    else return undefined;
  }
  return current;
}

/** The integer at a path; absent or null is undefined. Throws FieldError for anything else. */
export function integerAt(value: unknown, ...path: string[]): number | undefined {
  const found = at(value, ...path);
  if (found === undefined || found === null) return undefined;
  if (typeof found === 'number' && Number.isInteger(found)) return found;
  throw new FieldError(`${path.join('.')} is not an integer: ${JSON.stringify(found)}`);
}

/** The string at a path; absent or null is empty. Throws FieldError for anything else. */
export function stringAt(value: unknown, ...path: string[]): string {
  const found = at(value, ...path);
  if (found === undefined || found === null) return '';
  if (typeof found === 'string') return found;
  throw new FieldError(`${path.join('.')} is not a string: ${JSON.stringify(found)}`);
}

/** The list at a path; absent or null is empty. Throws FieldError for anything else. */
export function listAt(value: unknown, ...path: string[]): unknown[] {
  const found = at(value, ...path);
  if (found === undefined || found === null) return [];
  if (Array.isArray(found)) return found;
  throw new FieldError(`${path.join('.')} is not a list: ${JSON.stringify(found)}`);
}

/** `status.conditions`, in order. Throws FieldError when they are not what Kubernetes writes. */
export function conditionsOf(object: unknown): Condition[] {
  return listAt(object, 'status', 'conditions').map((entry) => ({
    type: stringAt(entry, 'type'),
    status: stringAt(entry, 'status'),
    reason: stringAt(entry, 'reason'),
    message: stringAt(entry, 'message'),
  }));
}

/** Whether a generation that a controller wrote is behind the object's; false when either is not there. */
export function isOlder(observed: unknown, generation: unknown): boolean {
  return typeof observed === 'number' && typeof generation === 'number' && observed < generation;
}
