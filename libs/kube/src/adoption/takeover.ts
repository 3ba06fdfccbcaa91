import { ANNOTATION } from '../annotations.ts';
import type { PathStep } from '../field-path.ts';
import { type ManagedFieldsEntry, managedFieldsOf, ownsPath, pathsOfFields } from '../managed-fields.ts';
import { annotationOf, isRecord, type KubeObject } from '../object.ts';
import { APPLICATION_LABEL, TRACKING_ANNOTATION } from '../tracking.ts';
import { extract, type FieldSet, splitBy, unionOf, withoutField } from './field-sets.ts';
import { type Tracker, TOOL_MANAGERS } from './foreign.ts';

/** A change of an object's metadata as a merge patch writes it: null removes. */
export interface MetadataPatch {
  labels: Record<string, string | null>;
  annotations: Record<string, string | null>;
  managedFields: ManagedFieldsEntry[];
}

/** What is kept of an adopted object's earlier life, so that it can be given back. */
export interface AdoptedFrom {
  /** In words. */
  by: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Who owned the fields that Muster took over. */
  manager?: string;
  operation?: string;
  /** There was a record of what was applied last. */
  lastApplied?: true;
}

/** Managers of client-side applies, and of what was there before the first server-side one. */
const CLIENT_SIDE = /^(kubectl-client-side-apply|kubectl-last-applied|before-first-apply)$/;
/** Managers of people's commands. */
const PEOPLE = /^kubectl(-.*)?$/;
const LAST_APPLIED = ['metadata', 'annotations', ANNOTATION.lastApplied];
const MAX_LAST_APPLIED = 128 * 1024;

/**
 * How an object comes under Muster that other tools, or kubectl, applied: the fields of their managers and of their
 * last-applied record become Muster's, so that one that leaves Git goes; their marks go, and are kept for giving the
 * object back. Fields of all others stay theirs. Undefined where there is nothing to take over.
 *
 * @param manager Muster's field manager.
 */
export function takeover(
  live: KubeObject,
  desired: KubeObject,
  trackers: readonly Tracker[],
  manager: string,
): MetadataPatch | undefined {
  const record = lastAppliedOf(live);
  if (trackers.length === 0 && !record) return undefined;
  const { entries, moved } = movedFields(live, record, trackers, manager);
  const labels: MetadataPatch['labels'] = {};
  const annotations: MetadataPatch['annotations'] = {};
  for (const tracker of trackers) {
    for (const key of Object.keys(tracker.labels)) if (!desired.metadata.labels?.[key]) labels[key] = null;
    for (const key of Object.keys(tracker.annotations)) {
      if (!desired.metadata.annotations?.[key]) annotations[key] = null;
    }
  }
  if (record) annotations[ANNOTATION.lastApplied] = null;
  if (trackers.length > 0) {
    annotations[ANNOTATION.adoptedFrom] = JSON.stringify(adoptedFrom(trackers, moved, record !== undefined));
  }
  // Nobody else finds it unmarked in between.
  const label = desired.metadata.labels?.[APPLICATION_LABEL];
  const tracking = desired.metadata.annotations?.[TRACKING_ANNOTATION];
  if (label) labels[APPLICATION_LABEL] = label;
  if (tracking) annotations[TRACKING_ANNOTATION] = tracking;
  return { labels, annotations, managedFields: entries };
}

/**
 * What goes with the first apply after a takeover: the tool's marks, and fields that it said it wants and the manifest
 * does not have. Defaults that its managers own are not among them, as they come back.
 */
export function fieldsThatGo(
  live: KubeObject,
  desired: KubeObject,
  trackers: readonly Tracker[],
): PathStep[][] {
  const record = lastAppliedOf(live);
  if (trackers.length === 0 && !record) return [];
  let wanted: FieldSet = {};
  const others: FieldSet[] = [];
  for (const entry of managedFieldsOf(live)) {
    const { inside, outside } = shareOf(entry, record, trackers);
    if (Object.keys(outside).length > 0) others.push(outside);
    if (entry.operation === 'Apply') wanted = unionOf(wanted, inside);
    else if (record) wanted = unionOf(wanted, splitBy(inside, record).inside);
  }
  for (const path of [LAST_APPLIED, ...markPaths(trackers)]) wanted = withoutField(wanted, path);
  const marks = markPaths(trackers).filter(([, where, key]) => {
    return desired.metadata[where as 'labels' | 'annotations']?.[key!] === undefined;
  });
  const going = pathsOfFields(splitBy(wanted, desired).outside);
  return [...marks, ...going.filter((path) => !others.some((fields) => ownsPath(fields, path)))];
}

function markPaths(trackers: readonly Tracker[]): string[][] {
  return trackers.flatMap(({ labels, annotations }) => [
    ...Object.keys(labels).map((key) => ['metadata', 'labels', key]),
    ...Object.keys(annotations).map((key) => ['metadata', 'annotations', key]),
  ]);
}

function adoptedFrom(
  trackers: readonly Tracker[],
  moved: readonly ManagedFieldsEntry[],
  lastApplied: boolean,
): AdoptedFrom {
  const size = (entry: ManagedFieldsEntry) => JSON.stringify(entry.fieldsV1).length;
  const main = moved.toSorted(
    (a, b) => Number(b.operation === 'Apply') - Number(a.operation === 'Apply') || size(b) - size(a),
  )[0];
  return {
    by: trackers.map(({ name }) => name).join(' and '),
    labels: Object.assign({}, ...trackers.map(({ labels }) => labels)) as Record<string, string>,
    annotations: Object.assign({}, ...trackers.map(({ annotations }) => annotations)) as Record<
      string,
      string
    >,
    ...(main && { manager: main.manager, operation: main.operation }),
    ...(lastApplied && { lastApplied: true as const }),
  };
}

interface Moved {
  /** The managed fields as they are to be. */
  entries: ManagedFieldsEntry[];
  /** The entries that Muster's took from. */
  moved: ManagedFieldsEntry[];
}

function movedFields(
  live: KubeObject,
  record: KubeObject | undefined,
  trackers: readonly Tracker[],
  manager: string,
): Moved {
  const moved: ManagedFieldsEntry[] = [];
  const entries: ManagedFieldsEntry[] = [];
  let own: ManagedFieldsEntry | undefined;
  let fields: FieldSet = {};
  for (const entry of managedFieldsOf(live)) {
    if (entry.manager === manager && entry.operation === 'Apply' && !entry.subresource) {
      own = entry;
      continue;
    }
    const { inside, outside } = shareOf(entry, record, trackers);
    if (Object.keys(inside).length === 0) {
      entries.push(entry);
      continue;
    }
    moved.push({ ...entry, fieldsV1: inside });
    fields = unionOf(fields, inside);
    if (Object.keys(outside).length > 0) entries.push({ ...entry, fieldsV1: outside });
  }
  const last = moved.at(-1);
  if (!last) return { entries: managedFieldsOf(live), moved };
  const { apiVersion, time } = { ...last, ...own };
  const left = [LAST_APPLIED, ...markPaths(trackers)].reduce<FieldSet>(
    (set, path) => withoutField(set, path),
    unionOf(own?.fieldsV1 ?? {}, fields),
  );
  const taken = { manager, operation: 'Apply', apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: left };
  return { entries: [...entries, taken], moved };
}

/** Which fields of a manager's become Muster's. Fields of a subresource and of the status never do. */
function shareOf(
  entry: ManagedFieldsEntry,
  record: KubeObject | undefined,
  trackers: readonly Tracker[],
): { inside: FieldSet; outside: FieldSet } {
  const { manager = '', operation, subresource, fieldsV1: fields = {} } = entry;
  const none = { inside: {}, outside: fields };
  if (subresource) return none;
  const { 'f:status': status, ...wanted } = fields;
  const rest: FieldSet = status === undefined ? {} : { 'f:status': status };
  const tools = trackers.some(({ tool }) => TOOL_MANAGERS[tool].test(manager));
  const clientSide = CLIENT_SIDE.test(manager) && (record !== undefined || trackers.length > 0);
  if (tools || clientSide) return { inside: wanted, outside: rest };
  if (!record || operation !== 'Update' || !PEOPLE.test(manager)) return none;
  const { inside, outside } = splitBy(wanted, record);
  return { inside, outside: { ...outside, ...rest } };
}

/** What the tool wrote down as applied by it; undefined: nothing, or nothing that can be read. */
function lastAppliedOf(live: KubeObject): KubeObject | undefined {
  try {
    const record: unknown = JSON.parse(annotationOf(live, ANNOTATION.lastApplied) ?? 'null');
    return isRecord(record) ? (record as KubeObject) : undefined;
  } catch {
    return undefined;
  }
}

/** From whom a live object was adopted; undefined: it was not, or the record was damaged. */
export function adoptedFromOf(live: KubeObject): AdoptedFrom | undefined {
  try {
    const record: unknown = JSON.parse(annotationOf(live, ANNOTATION.adoptedFrom) ?? 'null');
    if (!isRecord(record) || !isRecord(record['labels']) || !isRecord(record['annotations']))
      return undefined;
    return record as unknown as AdoptedFrom;
  } catch {
    return undefined;
  }
}

/**
 * How an object is let go: Muster's marks go; one that was adopted gets back the marks of its tool, what Muster owned
 * becomes that tool's, and its last-applied record is written as of now. So the tool finds nothing to change, and what
 * leaves its own source later goes.
 *
 * @param manager Muster's field manager.
 */
export function letGo(live: KubeObject, manager: string): Partial<MetadataPatch> {
  const labels = { [APPLICATION_LABEL]: null };
  const annotations = { [TRACKING_ANNOTATION]: null };
  const from = adoptedFromOf(live);
  if (!from) return { labels, annotations };
  const entries = managedFieldsOf(live);
  const own = entries.filter((each) => each.manager === manager && !each.subresource);
  const ours = [
    ['metadata', 'labels', APPLICATION_LABEL],
    ['metadata', 'annotations', TRACKING_ANNOTATION],
    ['metadata', 'annotations', ANNOTATION.adoptedFrom],
  ].reduce<FieldSet>(
    (set, path) => withoutField(set, path),
    own.reduce<FieldSet>((all, { fieldsV1 = {} }) => unionOf(all, fieldsV1), {}),
  );
  const lastApplied = from.lastApplied && lastAppliedText(live, ours);
  return {
    labels: { ...labels, ...from.labels },
    annotations: {
      ...annotations,
      [ANNOTATION.adoptedFrom]: null,
      ...from.annotations,
      ...(lastApplied && { [ANNOTATION.lastApplied]: lastApplied }),
    },
    managedFields: from.manager ? givenBack(entries, own, ours, from) : entries,
  };
}

function givenBack(
  entries: ManagedFieldsEntry[],
  own: ManagedFieldsEntry[],
  fields: FieldSet,
  { manager, operation, labels, annotations }: AdoptedFrom,
): ManagedFieldsEntry[] {
  if (own.length === 0) return entries;
  const named = (map: object) => Object.fromEntries(Object.keys(map).map((key) => [`f:${key}`, {}]));
  const marks: FieldSet = {};
  if (Object.keys(labels).length > 0) marks['f:labels'] = named(labels);
  if (Object.keys(annotations).length > 0) marks['f:annotations'] = named(annotations);
  const theirFields = unionOf(fields, { 'f:metadata': marks });
  const theirs = entries.find(
    (each) => each.manager === manager && each.operation === operation && !each.subresource,
  );
  const base = theirs ?? { ...own[0], manager, operation };
  const entry = { ...base, fieldsV1: unionOf(theirs?.fieldsV1 ?? {}, theirFields) };
  return [...entries.filter((each) => each !== theirs && !own.includes(each)), entry];
}

/** The record as kubectl writes it: what was applied, on one line. */
function lastAppliedText(live: KubeObject, fields: FieldSet): string | undefined {
  const { apiVersion, kind, metadata } = live;
  const applied = extract(live, fields) as KubeObject;
  const { name, namespace } = metadata;
  const { annotations = {}, ...rest } = (applied.metadata ?? {}) as KubeObject['metadata'];
  const record = { ...applied, apiVersion, kind, metadata: { annotations, ...rest, name, namespace } };
  const text = `${JSON.stringify(record)}\n`;
  return text.length <= MAX_LAST_APPLIED ? text : undefined;
}
