import { canonicalJson, type Json } from '@muster/base';

/**
 * Parameters as Go holds them. Most are JSON values; some are typed maps and lists, which print, merge and
 * flatten differently and which templates may use differently. The classes keep that knowledge.
 */
export type Params = Record<string, unknown>;

/** An empty object without a prototype: parameter names are the user's, `__proto__` included. */
export function dict<T = unknown>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

/** Go's map[string]string: labels, annotations and a generator's `values`. */
export class StringMap {
  readonly entries: Record<string, string>;
  constructor(entries: Record<string, string>) {
    this.entries = entries;
  }
  /** The tag by which the Go side knows the type; see renderer/gotmpl/params.go. */
  toJSON(): unknown {
    return { '\u0001m': this.entries };
  }
}

/** Go's []string: path.segments. */
export class StringList {
  readonly items: readonly string[];
  constructor(items: readonly string[]) {
    this.items = items;
  }
  toJSON(): unknown {
    return { '\u0001l': this.items };
  }
}

/** Go's []map[string]any: the one parameter of a flat list. */
export class MapList {
  readonly items: readonly Params[];
  constructor(items: readonly Params[]) {
    this.items = items;
  }
  toJSON(): unknown {
    return { '\u0001c': this.items };
  }
}

/** Go's int: prints all its digits, where a JSON number prints as a float. */
export class GoInt {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
  toJSON(): unknown {
    return { '\u0001i': this.value };
  }
}

/** A JSON value that Go keeps as its bytes: it prints as those, and is the value again to `toJson`. */
export class RawJson {
  readonly text: string;
  constructor(value: Json) {
    this.text = canonicalJson(value);
  }
  toJSON(): unknown {
    return { '\u0001j': this.text };
  }
}

export function isMap(value: unknown): value is Params {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !TYPED.some((type) => value instanceof type)
  );
}

const TYPED = [StringMap, StringList, MapList, GoInt, RawJson];

export function isEmptySet(params: Params): boolean {
  for (const _ in params) return false;
  return true;
}

/** Go's %v: what fasttemplate's matrix and every selector see. */
export function goPrint(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'number') return goFloat(value);
  if (typeof value === 'boolean') return String(value);
  if (value instanceof GoInt) return String(value.value);
  if (value instanceof RawJson) return `{[${[...new TextEncoder().encode(value.text)].join(' ')}]}`;
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
  if (value instanceof StringList || value instanceof MapList)
    return `[${value.items.map(goPrint).join(' ')}]`;
  const entries = (value instanceof StringMap ? value.entries : value) as Record<string, unknown>;
  const members = Object.keys(entries)
    .sort()
    .map((key) => `${key}:${goPrint(entries[key])}`);
  return `map[${members.join(' ')}]`;
}

/** A float64 as %v prints it: the shortest digits, an exponent below 1e-04 and from 1e+06 on. */
function goFloat(n: number): string {
  if (n === 0) return Object.is(n, -0) ? '-0' : '0';
  const [digits, exponent] = n.toExponential().split('e') as [string, string];
  const e = Number(exponent);
  if (e >= -4 && e < 6) return String(n);
  return `${digits}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
}

/** Dotted keys for nested values, `%v` of the leaves; empty maps and lists leave no key. */
export function flatten(params: Params, typedMaps: boolean): Record<string, string> {
  const out = dict<string>();
  const walk = (prefix: string, value: unknown): void => {
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) walk(`${prefix}.${i}`, value[i]);
    } else if (isMap(value)) {
      for (const key of Object.keys(value)) walk(`${prefix}.${key}`, value[key]);
    } else if (typedMaps && value instanceof StringMap) {
      for (const key of Object.keys(value.entries)) out[`${prefix}.${key}`] = value.entries[key]!;
    } else {
      out[prefix] = goPrint(value);
    }
  };
  for (const key of Object.keys(params)) walk(key, params[key]);
  return out;
}

/** Lower case, `[^a-z0-9.-]` to `-`, at most 253 characters, no `-` or `.` at the ends. */
export function normalizeName(name: string): string {
  const clean = name
    .toLowerCase()
    .replace(/[^-a-z0-9.]/gu, '-')
    .slice(0, 253);
  let start = 0;
  let end = clean.length;
  const trimmed = (i: number) => clean[i] === '-' || clean[i] === '.';
  while (start < end && trimmed(start)) start++;
  while (end > start && trimmed(end - 1)) end--;
  return clean.slice(start, end);
}
