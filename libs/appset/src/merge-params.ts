import {
  dict,
  GoInt,
  goPrint,
  isMap,
  MapList,
  type Params,
  RawJson,
  StringList,
  StringMap,
} from './params.ts';

/**
 * Lays `over` onto `base` (changed in place) as Argo CD's goTemplate mode does: maps in depth, lists whole, empty
 * values and nulls win too. Throws where the reference panics: any value laid into labels, annotations or `values`
 * from an untyped map.
 */
export function mergeDeep(base: Params, over: Params): Params {
  for (const key of Object.keys(over)) {
    const above = over[key];
    const below = base[key];
    if (isEmptyMap(above) && isEmptyMap(below)) base[key] = above;
    else if (isMap(above) && isMap(below)) mergeDeep((base[key] = copy(below)), above);
    else if (above instanceof StringMap && below instanceof StringMap)
      base[key] = new StringMap(Object.assign(dict<string>(), below.entries, above.entries));
    else if (above instanceof StringMap && isMap(below))
      base[key] = Object.assign(copy(below), above.entries);
    else if (isMap(above) && below instanceof StringMap) {
      if (Object.keys(above).length > 0)
        throw new TypeError(
          `panic: ${key} holds strings only (labels, annotations or values of a generator) and cannot take a map of anything`,
        );
    } else base[key] = above;
  }
  return base;
}

function isEmptyMap(value: unknown): boolean {
  if (value instanceof StringMap) return Object.keys(value.entries).length === 0;
  return isMap(value) && Object.keys(value).length === 0;
}

/** A map of its own, so that what is shared between parameter sets is never changed. */
export function copy(params: Params): Params {
  return Object.assign(dict(), params);
}

/** fasttemplate's matrix: everything becomes text, and a key with two texts is an error. */
export function combineTexts(first: Params, second: Params): Params {
  const out = dict();
  for (const key of Object.keys(first)) out[key] = goPrint(first[key]);
  for (const key of Object.keys(second)) {
    const text = goPrint(second[key]);
    const known = out[key];
    if (known !== undefined && known !== text)
      throw new TypeError(
        `found duplicate key ${key} with different value, a: ${known as string} ,b: ${text}`,
      );
    out[key] = text;
  }
  return out;
}

/** The JSON that identifies a parameter set by its merge keys; an absent key is null. */
export function mergeKey(keys: readonly string[], params: Params): string {
  const parts = [...new Set(keys)].sort().map((key) => `${goJson(key)}:${goJson(params[key] ?? null)}`);
  return `{${parts.join(',')}}`;
}

/** JSON with sorted keys and Go's HTML escapes. */
function goJson(value: unknown): string {
  if (value instanceof StringMap) return goJson(value.entries);
  if (value instanceof GoInt) return String(value.value);
  if (value instanceof RawJson) return value.text;
  if (value instanceof StringList || value instanceof MapList) return goJson(value.items);
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = value as Record<string, unknown>;
    return `{${Object.keys(members)
      .sort()
      .map((key) => `${goJson(key)}:${goJson(members[key])}`)
      .join(',')}}`;
  }
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
