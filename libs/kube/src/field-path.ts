import { isRecord } from './object.ts';

/** One step into an object: a member, a list index, or the element of a keyed list. */
export type PathStep = string | number | { keys: Record<string, string | number | boolean> };

/** A way to one field. Text steps are also taken as list indices, as JSON pointers write them. */
export type FieldPath = readonly PathStep[];

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return at[indexOf(at, step)];
    return isRecord(at) && typeof step === 'string' && Object.hasOwn(at, step) ? at[step] : undefined;
  }, value);
}

/** A copy of the value without the field at a path; the value itself where there is no such field. */
export function removeAt(value: unknown, path: FieldPath): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(value)) {
    const index = indexOf(value, step);
    if (index < 0) return value;
    if (rest.length === 0) return value.toSpliced(index, 1);
    const item: unknown = removeAt(value[index], rest);
    return item === value[index] ? value : value.with(index, item);
  }
  if (typeof step !== 'string' || !isRecord(value) || !Object.hasOwn(value, step)) return value;
  if (rest.length === 0) {
    const { [step]: _removed, ...others } = value;
    return others;
  }
  const member = removeAt(value[step], rest);
  return member === value[step] ? value : { ...value, [step]: member };
}

/** A copy with a value at a path; unchanged where the way to it does not exist. */
export function setAt(target: unknown, path: FieldPath, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(target)) {
    const index = indexOf(target, step);
    return index < 0 ? target : target.with(index, setAt(target[index], rest, value));
  }
  if (typeof step !== 'string' || !isRecord(target)) return target;
  if (rest.length > 0 && !Object.hasOwn(target, step)) return target;
  return { ...target, [step]: setAt(target[step], rest, value) };
}

/** A copy of the value without the fields at these paths, whatever their order; indices mean the value as it is given. */
export function withoutPaths<T>(value: T, paths: readonly FieldPath[]): T {
  const [first] = paths;
  if (first === undefined) return value;
  if (paths.length === 1) return removeAt(value, first) as T;
  // Later elements of a list go first, so that the indices of the others stay true.
  const concrete = paths.map((path) => concretePath(value, path));
  return concrete.sort(byIndexDescending).reduce<unknown>((rest, path) => removeAt(rest, path), value) as T;
}

/**
 * The path with list indices turned into the element's `name` where every element of the list has one of its own, so
 * that it means the same element in another version of the object.
 */
export function keyedPath(value: unknown, path: FieldPath): PathStep[] {
  let at: unknown = value;
  return path.map((step) => {
    const list = at;
    at = valueAt(at, [step]);
    if (!Array.isArray(list) || !isRecord(at) || typeof at['name'] !== 'string') return step;
    const names = new Set(list.map((each: unknown) => (isRecord(each) ? each['name'] : undefined)));
    return names.size === list.length && !names.has(undefined) ? { keys: { name: at['name'] } } : step;
  });
}

function concretePath(value: unknown, path: FieldPath): (string | number)[] {
  let at: unknown = value;
  return path.map((step) => {
    const list = at;
    at = valueAt(at, [step]);
    if (Array.isArray(list)) return indexOf(list, step);
    return typeof step === 'object' ? '' : step;
  });
}

function byIndexDescending(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (x === y) continue;
    if (typeof x === 'number' && typeof y === 'number') return y - x;
    return String(x) < String(y) ? -1 : 1;
  }
  return b.length - a.length;
}

/** The index that a step means in a list; -1: none. */
function indexOf(list: readonly unknown[], step: PathStep): number {
  if (typeof step === 'number') return step in list ? step : -1;
  if (typeof step === 'string') {
    const index = /^(0|[1-9][0-9]*)$/.test(step) ? Number(step) : -1;
    return index in list ? index : -1;
  }
  const keys = Object.entries(step.keys);
  return list.findIndex((each) => isRecord(each) && keys.every(([key, wanted]) => each[key] === wanted));
}
