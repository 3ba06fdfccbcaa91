import {
  type FieldChange,
  type KubeObject,
  type PathStep,
  diffObjects,
  redact,
  withoutIgnored,
} from '@muster/kube';
import type { IgnoreRule } from '@muster/kube';
import type { FieldDifference } from '@muster/proto/records';
import { FIELD_MANAGER } from '../kube/client.ts';
import { managedFieldsOf } from '../kube/objects.ts';
import { type Writer, comparable, newestWriter } from './live-object.ts';

/** What differs between what should be and what is, redacted, and who wrote it. */
export interface Difference {
  fields: FieldDifference[];
  writer: Writer | undefined;
}

const MAX_FIELDS = 50;
const MAX_VALUE = 1024;

/**
 * Compares what an apply would make of an object with what it is; undefined when nothing that counts differs.
 * Secret values are masked.
 */
export function difference(
  expected: KubeObject,
  actual: KubeObject,
  rules: readonly IgnoreRule[],
): Difference | undefined {
  const should = withoutIgnored(comparable(expected), rules);
  const is = withoutIgnored(comparable(actual), rules);
  const changes = diffObjects(should, is);
  if (changes.length === 0) return undefined;
  return { fields: changes.slice(0, MAX_FIELDS).map(asField), writer: writerOf(actual, changes) };
}

function asField(change: FieldChange): FieldDifference {
  return { path: change.path, expected: text(change.from), actual: text(change.to) };
}

function text(value: unknown): string {
  if (value === undefined) return '';
  const json = JSON.stringify(redact(value));
  return json.length <= MAX_VALUE ? json : `${json.slice(0, MAX_VALUE - 1)}…`;
}

/** The newest of those who own a differing field; who removed one owns nothing, so else the newest of all. */
function writerOf(actual: KubeObject, changes: FieldChange[]): Writer | undefined {
  let newest: Writer | undefined;
  for (const { manager, subresource, time, fieldsV1 } of managedFieldsOf(actual)) {
    if (!manager || manager === FIELD_MANAGER || subresource === 'status' || !fieldsV1) continue;
    if (!changes.some(({ steps }) => owns(fieldsV1, steps))) continue;
    const timeMs = Date.parse(time ?? '') || 0;
    if (!newest || timeMs > newest.timeMs) newest = { manager, timeMs };
  }
  return newest ?? newestWriter(actual);
}

/** Whether a FieldsV1 set holds a path, or the beginning of it as a leaf. */
function owns(fields: Record<string, unknown>, steps: readonly PathStep[]): boolean {
  let at: unknown = fields;
  for (const step of steps) {
    if (typeof at !== 'object' || at === null) return false;
    const members = at as Record<string, unknown>;
    // An empty set is a leaf: the whole value below it is owned.
    if (Object.keys(members).length === 0) return true;
    at = memberOf(members, step);
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
