import type { Json, JsonObject } from '@muster/base';
import { isObject } from './decode.ts';
import type { Shape, StructShape } from './schema.ts';

/** A generator's template filled up from the common one: structs and maps member by member, lists and values whole. */
export function fillTemplate(own: JsonObject, common: JsonObject, shape: StructShape): JsonObject {
  const out: JsonObject = {};
  for (const { name, shape: of } of shape.fields.values()) {
    const value = fill(own[name], common[name], of);
    if (value !== undefined) out[name] = value;
  }
  return out;
}

function fill(own: Json | undefined, common: Json | undefined, shape: Shape): Json | undefined {
  if (common === undefined) return own;
  if (own === undefined) return common;
  if (shape.kind === 'struct' && isObject(own) && isObject(common)) return fillTemplate(own, common, shape);
  if (shape.kind === 'map' && isObject(own) && isObject(common)) {
    const out = Object.assign(Object.create(null) as JsonObject, common);
    // An empty text does not override, as nothing empty does.
    for (const key of Object.keys(own)) if (!isZero(own[key]) || !(key in common)) out[key] = own[key]!;
    return out;
  }
  return isZero(own) ? common : own;
}

function isZero(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  return Array.isArray(value) && value.length === 0;
}
