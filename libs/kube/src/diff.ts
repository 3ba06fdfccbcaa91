import { ANNOTATION } from './annotations.ts';
import type { PathStep } from './field-path.ts';
import { isRecord, type KubeObject } from './object.ts';
import { isSecret, MASK, redact } from './redact.ts';

/** One difference. `from` is absent for `added`, `to` for `removed`; `order`: a keyed list has another order (lists of keys). */
export interface FieldChange {
  kind: 'added' | 'removed' | 'changed' | 'order';
  /** For display: `spec.template.spec.containers[name=web].image`. */
  path: string;
  steps: PathStep[];
  from?: unknown;
  to?: unknown;
  /** The values are secret and were replaced. */
  masked?: boolean;
}

/** Keys that identify the elements of Kubernetes' lists, most telling first; the first that fits both sides is used. */
const MERGE_KEYS: string[][] = [
  ['name'],
  ['mountPath'],
  ['containerPort', 'protocol'],
  ['port', 'protocol'],
  ['devicePath'],
  ['topologyKey', 'whenUnsatisfiable'],
  ['type'],
  ['uid'],
  ['ip'],
];

/** Key fields that may be left out, with what they then are. */
const KEY_DEFAULTS: Record<string, string> = { protocol: 'TCP' };

/** The differences between two objects, field by field, lists by their merge keys; Secrets masked. Empty when equal. */
export function diffObjects(from: KubeObject | undefined, to: KubeObject | undefined): FieldChange[] {
  if (!from || !to) {
    if (!from && !to) return [];
    const change: FieldChange = { kind: from ? 'removed' : 'added', path: '', steps: [] };
    if (from) change.from = redact(from);
    else change.to = redact(to);
    return [change];
  }
  const changes: FieldChange[] = [];
  compare(from, to, [], changes);
  return maskChanges(changes, isSecret(from) || isSecret(to));
}

/** The changes without secret values. @param secret whether they are of a Secret. */
export function maskChanges(changes: readonly FieldChange[], secret: boolean): FieldChange[] {
  return changes.map((change) => maskChange(change, secret));
}

/** The object without what the API server writes and people do not compare: status, managedFields, uid, versions. */
export function forDisplay(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object;
  const { managedFields, resourceVersion, uid, creationTimestamp, generation, selfLink, ...metadata } =
    object.metadata;
  void [managedFields, resourceVersion, uid, creationTimestamp, generation, selfLink];
  return { ...rest, metadata } as KubeObject;
}

function compare(from: unknown, to: unknown, steps: PathStep[], changes: FieldChange[]): void {
  if (from === to) return;
  if (isRecord(from) && isRecord(to)) {
    for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
      compareMember(own(from, key), own(to, key), [...steps, key], changes);
    }
  } else if (Array.isArray(from) && Array.isArray(to)) {
    compareLists(from, to, steps, changes);
  } else {
    changes.push({ kind: 'changed', path: formatPath(steps), steps, from, to });
  }
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function compareMember(from: unknown, to: unknown, steps: PathStep[], changes: FieldChange[]): void {
  if (from === undefined && to === undefined) return;
  if (from === undefined) changes.push({ kind: 'added', path: formatPath(steps), steps, to });
  else if (to === undefined) changes.push({ kind: 'removed', path: formatPath(steps), steps, from });
  else compare(from, to, steps, changes);
}

function compareLists(from: unknown[], to: unknown[], steps: PathStep[], changes: FieldChange[]): void {
  const indexed = from.length === 0 && to.length === 0 ? undefined : mergeKeysOf(from, to);
  if (!indexed) {
    for (let i = 0; i < Math.max(from.length, to.length); i++) {
      compareMember(from[i], to[i], [...steps, i], changes);
    }
    return;
  }
  const { from: fromIndex, to: toIndex } = indexed;
  for (const id of new Set([...fromIndex.keys(), ...toIndex.keys()])) {
    const [a, b] = [fromIndex.get(id), toIndex.get(id)];
    compareMember(a?.element, b?.element, [...steps, (a ?? b)!.step], changes);
  }
  const common = (ids: Iterable<string>, other: Map<string, unknown>) =>
    [...ids].filter((id) => other.has(id));
  const before = common(fromIndex.keys(), toIndex);
  const after = common(toIndex.keys(), fromIndex);
  if (before.some((id, i) => id !== after[i])) {
    const names = (ids: string[]) =>
      ids.map((id) => formatStep((fromIndex.get(id) ?? toIndex.get(id))!.step));
    changes.push({ kind: 'order', path: formatPath(steps), steps, from: names(before), to: names(after) });
  }
}

/** Elements of a list by what tells them from each other. */
export type Indexed = Map<string, { element: unknown; step: PathStep }>;

/** The elements of both lists by the first merge key that fits both; undefined where none does. */
export function mergeKeysOf(from: unknown[], to: unknown[]): { from: Indexed; to: Indexed } | undefined {
  for (const keys of MERGE_KEYS) {
    const [a, b] = [index(from, keys), index(to, keys)];
    if (a && b) return { from: a, to: b };
  }
  return undefined;
}

/** The elements by key; undefined when one has no such key or two have the same. */
function index(list: unknown[], keys: string[]): Indexed | undefined {
  const indexed: Indexed = new Map();
  for (const element of list) {
    if (!isRecord(element)) return undefined;
    const values: Record<string, string | number | boolean> = {};
    for (const key of keys) {
      const value = own(element, key) ?? KEY_DEFAULTS[key];
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
        return undefined;
      values[key] = value;
    }
    const id = JSON.stringify(values);
    if (indexed.has(id)) return undefined;
    indexed.set(id, { element, step: { keys: values } });
  }
  return indexed;
}

/** `spec.containers[name=web].ports[0]`; members that are no plain words are quoted: `labels["app.io/x"]`. */
export function formatPath(steps: readonly PathStep[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step !== 'string') return `${path}[${formatStep(step)}]`;
    if (!/^[A-Za-z_][-A-Za-z0-9_]*$/.test(step)) return `${path}[${JSON.stringify(step)}]`;
    return path ? `${path}.${step}` : step;
  }, '');
}

function formatStep(step: PathStep): string {
  if (typeof step !== 'object') return String(step);
  return Object.entries(step.keys)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function maskChange(change: FieldChange, secret: boolean): FieldChange {
  const [first, second, third] = change.steps;
  const inData = secret && (first === 'data' || first === 'stringData');
  const inLastApplied = first === 'metadata' && second === 'annotations' && third === ANNOTATION.lastApplied;
  const holdsLastApplied = first === 'metadata' && change.steps.length < 3;
  if (!inData && !inLastApplied && !holdsLastApplied) return change;
  const masked: FieldChange = { ...change };
  if ('from' in change) masked.from = maskValue(change.from, change.steps, inData);
  if ('to' in change) masked.to = maskValue(change.to, change.steps, inData);
  return inData ? { ...masked, masked: true } : masked;
}

function maskValue(value: unknown, steps: PathStep[], inData: boolean): unknown {
  if (inData)
    return isRecord(value) ? Object.fromEntries(Object.keys(value).map((key) => [key, MASK])) : MASK;
  // Wraps the value into an object shape that `redact` knows, and takes it out again.
  const keys = steps as string[];
  const wrapped = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  return keys.reduce<unknown>((outer, key) => (outer as Record<string, unknown>)[key], redact(wrapped));
}
