import { isRecord } from '../object.ts';
import type { FieldPath } from '../field-path.ts';

/** A set of fields as `managedFields` writes it; a member without members of its own is a field, `.` the one around it. */
export type FieldSet = Record<string, unknown>;

/** All fields of both. */
export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  const union: FieldSet = { ...a };
  for (const [name, below] of Object.entries(b)) {
    const other = own(union, name);
    if (other === undefined) union[name] = below;
    else if (isRecord(other) && isRecord(below)) union[name] = unionOfMembers(other, below);
  }
  return union;
}

/** A leaf stands for itself; beside members that is written as `.`. */
function unionOfMembers(a: FieldSet, b: FieldSet): FieldSet {
  const [emptyA, emptyB] = [Object.keys(a).length === 0, Object.keys(b).length === 0];
  if (emptyA && emptyB) return {};
  if (emptyA || emptyB) return { '.': {}, ...a, ...b };
  return unionOf(a, b);
}

/** The set without one field and all below it. Only text steps. */
export function withoutField(fields: FieldSet, path: readonly string[]): FieldSet {
  const [first, ...rest] = path;
  const name = `f:${first}`;
  const below = own(fields, name);
  if (!isRecord(below)) return fields;
  const { [name]: _removed, ...others } = fields;
  if (rest.length === 0) return others;
  const left = withoutField(below, rest);
  if (left === below) return fields;
  return Object.keys(left).length === 0 ? others : { ...fields, [name]: left };
}

/** The fields that a value has, and those that it has not. */
export function splitBy(fields: FieldSet, value: unknown): { inside: FieldSet; outside: FieldSet } {
  const inside: FieldSet = {};
  const outside: FieldSet = {};
  for (const [name, below] of Object.entries(fields)) {
    if (name === '.' || !isRecord(below)) continue;
    const member = memberOf(value, name);
    const names = Object.keys(below);
    if (member === undefined) outside[name] = below;
    // Of a keyed element that is there its own membership is inside, as are its keys.
    else if (names.length === 0) inside[name] = below;
    else {
      const parts = splitBy(below, member);
      const itself = '.' in below;
      const some = Object.keys(parts.inside).length > 0;
      if (some || itself) inside[name] = itself ? { '.': {}, ...parts.inside } : parts.inside;
      if (Object.keys(parts.outside).length > 0) outside[name] = parts.outside;
    }
  }
  return { inside, outside };
}

/** The part of a value that a set holds; undefined: nothing of it. Whole values below a leaf. */
export function extract(value: unknown, fields: FieldSet): unknown {
  if (Object.keys(fields).length === 0) return value;
  const names = Object.keys(fields).filter((name) => name !== '.');
  if (Array.isArray(value)) {
    const picked = value.flatMap((element: unknown, index) => {
      const name = names.find((each) => meansElement(each, element, index));
      const below = name === undefined ? undefined : fields[name];
      const part = isRecord(below) ? extractElement(element, name!, below) : undefined;
      return part === undefined ? [] : [part];
    });
    return picked;
  }
  if (!isRecord(value)) return value;
  const part: Record<string, unknown> = {};
  for (const name of names) {
    const key = name.slice(2);
    const below = fields[name];
    if (!name.startsWith('f:') || !isRecord(below) || !Object.hasOwn(value, key)) continue;
    part[key] = extract(value[key], below);
  }
  return part;
}

function extractElement(element: unknown, name: string, below: FieldSet): unknown {
  const part = extract(element, below);
  if (!name.startsWith('k:') || !isRecord(part)) return part;
  // An element is nothing without its keys.
  return { ...(parsed(name.slice(2)) as object), ...part };
}

/** The member of a value that a name of a set means; undefined: none. */
function memberOf(value: unknown, name: string): unknown {
  if (name.startsWith('f:')) return isRecord(value) ? own(value, name.slice(2)) : undefined;
  if (!Array.isArray(value)) return undefined;
  return value.find((element: unknown, index) => meansElement(name, element, index)) as unknown;
}

function meansElement(name: string, element: unknown, index: number): boolean {
  const wanted = parsed(name.slice(2));
  if (name.startsWith('i:')) return wanted === index;
  if (name.startsWith('v:')) return JSON.stringify(wanted) === JSON.stringify(element);
  if (!name.startsWith('k:') || !isRecord(wanted) || !isRecord(element)) return false;
  // Key fields that a manifest leaves out had a default.
  return Object.entries(wanted).every(([key, is]) => element[key] === undefined || element[key] === is);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Whether a set holds a field itself, or something below it. Only text steps. */
export function holdsField(fields: FieldSet, path: FieldPath): boolean {
  let at: unknown = fields;
  for (const step of path) {
    if (!isRecord(at) || typeof step !== 'string') return false;
    at = own(at, `f:${step}`);
  }
  return at !== undefined;
}
