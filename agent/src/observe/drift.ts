import {
  type FieldChange,
  type IgnoreRule,
  type JqPaths,
  type KubeObject,
  diffObjects,
  fieldsNotOwned,
  formatPath,
  managedFieldsOf,
  ownsPath,
  redact,
  unmetFields,
  valueAt,
  withoutIgnored,
  withoutPaths,
} from '@muster/kube';
import type { FieldDifference } from '@muster/proto/records';
import { FIELD_MANAGER } from '../kube/client.ts';
import { type Writer, comparable, newestWriter } from './live-object.ts';

/** What differs between what should be and what is, redacted, and who wrote it. */
export interface Difference {
  fields: FieldDifference[];
  writer: Writer | undefined;
}

const MAX_FIELDS = 50;
const MAX_VALUE = 1024;

/** What ignore rules need besides the objects. */
export interface IgnoreAround {
  jq: JqPaths;
  signal: AbortSignal;
}

/** What a comparison found: undefined where nothing that counts differs, and the rules that could not be obeyed. */
export interface Compared {
  difference: Difference | undefined;
  problems: string[];
}

/**
 * Compares what a write would make of an object with what it is. Secret values are masked. `within`: only fields that
 * this manifest states count, as others may be written by whoever likes.
 */
export async function difference(
  expected: KubeObject,
  actual: KubeObject,
  rules: readonly IgnoreRule[],
  around: IgnoreAround,
  within?: KubeObject,
): Promise<Compared> {
  const { should, is, problems } = await withoutIgnored(comparable(expected), comparable(actual), rules, {
    ...around,
    live: actual,
  });
  const changes = diffObjects(should, is).filter(({ steps }) => !within || states(within, steps));
  if (changes.length === 0) return { difference: undefined, problems };
  const fields = changes.slice(0, MAX_FIELDS).map(asField);
  return { difference: { fields, writer: writerOf(actual, changes) }, problems };
}

/**
 * The same, judged by who owns the fields, for objects whose admission refuses dry runs: a field of the manifest that
 * Muster does not own any more was written by somebody else.
 */
export async function lostFields(
  manifest: KubeObject,
  actual: KubeObject,
  rules: readonly IgnoreRule[],
  around: IgnoreAround,
): Promise<Compared> {
  const { should, problems } = await withoutIgnored(manifest, actual, rules, { ...around, live: actual });
  const own = managedFieldsOf(actual).find(
    ({ manager, operation, subresource }) =>
      manager === FIELD_MANAGER && operation === 'Apply' && !subresource,
  );
  const lost = fieldsNotOwned(should, own?.fieldsV1 ?? {});
  if (lost.length === 0) return { difference: undefined, problems };
  const steps = lost.slice(0, MAX_FIELDS);
  const shown = new Map(
    diffObjects(should, withoutPaths(should, steps)).map((change) => [change.path, change.from]),
  );
  const masked = redact(actual);
  const changes: FieldChange[] = steps.map((path) => ({
    kind: 'changed',
    path: formatPath(path),
    steps: path,
    from: shown.get(formatPath(path)),
    to: valueAt(masked, path),
  }));
  return { difference: { fields: changes.map(asField), writer: writerOf(actual, changes) }, problems };
}

/** Whether a manifest says something of a field; an item too many in a list without keys is against what it says. */
function states(manifest: KubeObject, steps: FieldChange['steps']): boolean {
  const own = typeof steps.at(-1) === 'number' ? steps.slice(0, -1) : steps;
  return valueAt(manifest, own) !== undefined;
}

/**
 * The same, judged by what the manifest says, for objects that nobody may try an apply on: a field that the object does
 * not have as it is written.
 */
export async function unmet(
  manifest: KubeObject,
  actual: KubeObject,
  rules: readonly IgnoreRule[],
  around: IgnoreAround,
): Promise<Compared> {
  const { should, is, problems } = await withoutIgnored(manifest, actual, rules, { ...around, live: actual });
  const changes = unmetFields(should, is);
  if (changes.length === 0) return { difference: undefined, problems };
  const fields = changes.slice(0, MAX_FIELDS).map(asField);
  return { difference: { fields, writer: writerOf(actual, changes) }, problems };
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
  for (const { manager, operation = '', subresource, time, fieldsV1 } of managedFieldsOf(actual)) {
    if (!manager || manager === FIELD_MANAGER || subresource === 'status' || !fieldsV1) continue;
    if (!changes.some(({ steps }) => ownsPath(fieldsV1, steps))) continue;
    const timeMs = Date.parse(time ?? '') || 0;
    if (!newest || timeMs > newest.timeMs) newest = { manager, operation, timeMs };
  }
  return newest ?? newestWriter(actual);
}
