import type { FieldPath, PathStep } from './field-path.ts';
import { isRecord, type KubeObject } from './object.ts';

/** One entry of `metadata.managedFields`: who wrote which fields, and when. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  subresource?: string;
  /** Version of the object that the fields are of. */
  apiVersion?: string;
  /** RFC 3339. */
  time?: string;
  fieldsType?: string;
  /** A set of fields as structured-merge-diff writes them: `f:`, `k:`, `v:`, `i:` and `.` members. */
  fieldsV1?: Record<string, unknown>;
}

/** The managed fields of an object; empty where they were dropped. */
export function managedFieldsOf(object: KubeObject): ManagedFieldsEntry[] {
  const { managedFields } = object.metadata as { managedFields?: ManagedFieldsEntry[] };
  return Array.isArray(managedFields) ? managedFields : [];
}

const MAX_PATHS = 5000;

/** The fields that a FieldsV1 set holds, outermost owned ones only: the leaves, and whole elements it owns nothing below of. */
export function pathsOfFields(fields: Record<string, unknown>): PathStep[][] {
  const found: PathStep[][] = [];
  walk(fields, [], found);
  return found;
}

function walk(fields: Record<string, unknown>, at: PathStep[], found: PathStep[][]): void {
  if (found.length >= MAX_PATHS) return;
  const members = Object.entries(fields).filter(([name]) => name !== '.');
  if (members.length === 0) {
    if (at.length > 0) found.push(at);
    return;
  }
  for (const [name, below] of members) {
    const step = stepOf(name);
    if (step !== undefined && isRecord(below)) walk(below, [...at, step], found);
  }
}

function stepOf(name: string): PathStep | undefined {
  const text = name.slice(2);
  switch (name.slice(0, 2)) {
    case 'f:':
      return text;
    case 'i:':
      return Number(text);
    case 'k:': {
      const keys: unknown = parsed(text);
      return isRecord(keys) ? { keys: keys as Record<string, string | number | boolean> } : undefined;
    }
    default:
      // An element of a set (`v:`) has no place of its own.
      return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a FieldsV1 set holds a path, or the beginning of it as a leaf. */
export function ownsPath(fields: Record<string, unknown>, path: FieldPath): boolean {
  let at: unknown = fields;
  for (const step of path) {
    if (!isRecord(at)) return false;
    // An empty set is a leaf: the whole value below it is owned.
    if (Object.keys(at).length === 0) return true;
    at = memberOf(at, step);
    if (at === undefined) return false;
  }
  return true;
}

function memberOf(members: Record<string, unknown>, step: PathStep): unknown {
  if (typeof step === 'string') return members[`f:${step}`];
  if (typeof step === 'number') return members[`i:${step}`];
  const sorted = Object.fromEntries(Object.entries(step.keys).sort(([a], [b]) => (a < b ? -1 : 1)));
  return members[`k:${JSON.stringify(sorted)}`];
}

/**
 * The fields of a manifest that a FieldsV1 set does not hold: those that somebody else has taken since they were
 * applied. Values are not compared: whoever writes another value takes the field.
 */
export function fieldsNotOwned(object: KubeObject, fields: Record<string, unknown>): PathStep[][] {
  const found: PathStep[][] = [];
  const { apiVersion: _a, kind: _k, metadata, status: _s, ...rest } = object;
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  lost({ ...rest, metadata: { labels, annotations, finalizers, ownerReferences } }, fields, [], found);
  return found;
}

function lost(value: unknown, fields: unknown, at: PathStep[], found: PathStep[][]): void {
  if (found.length >= MAX_PATHS) return;
  if (!isRecord(fields)) {
    if (!isRecord(value)) found.push(at);
    else
      for (const [key, member] of Object.entries(value)) lostMember(member, undefined, [...at, key], found);
    return;
  }
  const names = Object.keys(fields).filter((name) => name !== '.');
  if (names.length === 0) return;
  if (Array.isArray(value)) return lostElements(value, fields, names, at, found);
  if (!isRecord(value)) return;
  for (const [key, member] of Object.entries(value)) {
    lostMember(member, fields[`f:${key}`], [...at, key], found);
  }
}

function lostMember(value: unknown, fields: unknown, at: PathStep[], found: PathStep[][]): void {
  // A manifest says nothing by null.
  if (value !== null && value !== undefined) lost(value, fields, at, found);
}

function lostElements(
  list: unknown[],
  fields: Record<string, unknown>,
  names: string[],
  at: PathStep[],
  found: PathStep[][],
): void {
  for (const [index, element] of list.entries()) {
    const name = names.find((each) => means(each, element, index));
    if (name === undefined) found.push([...at, index]);
    else lost(element, fields[name], [...at, stepOf(name) ?? index], found);
  }
}

/** Whether a member of a FieldsV1 set stands for an element. Key fields that the manifest leaves out had a default. */
function means(name: string, element: unknown, index: number): boolean {
  const value = parsed(name.slice(2));
  if (name.startsWith('v:')) return JSON.stringify(value) === JSON.stringify(element);
  if (name.startsWith('i:')) return value === index;
  if (!name.startsWith('k:') || !isRecord(value) || !isRecord(element)) return false;
  return Object.entries(value).every(
    ([key, wanted]) => element[key] === undefined || element[key] === wanted,
  );
}
