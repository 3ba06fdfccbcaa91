import type { Json, JsonObject } from '@muster/base';
import { dict } from './params.ts';
import type { Field, Shape, StructShape } from './schema.ts';

/** Reads a JSON value as its Go type would: unknown fields drop, zero values that JSON omits drop, other types throw. */
export function decodeStruct(value: unknown, shape: StructShape, path = ''): JsonObject {
  return decode(value, shape, path || shape.name) as JsonObject;
}

function decode(value: unknown, shape: Shape, path: string): Json | undefined {
  switch (shape.kind) {
    case 'any':
      return undefined;
    case 'raw':
      return value as Json;
    case 'string':
      if (value === null) return '';
      return typeof value === 'string' ? value : mismatch(value, 'string', path);
    case 'bool':
      if (value === null) return false;
      return typeof value === 'boolean' ? value : mismatch(value, 'bool', path);
    case 'int':
      if (value === null) return 0;
      return Number.isSafeInteger(value) ? (value as number) : mismatch(value, 'int64', path);
    case 'intOrString':
      if (value === null) return 0;
      if (typeof value === 'string' || Number.isSafeInteger(value)) return value as Json;
      return mismatch(value, 'int32', path);
    case 'list':
      return decodeList(value, shape.of, path);
    case 'map':
      return decodeMap(value, shape.of, path);
    case 'struct':
      return decodeFields(value, shape, path);
  }
}

function decodeList(value: unknown, of: Shape, path: string): Json[] {
  if (value === null) return [];
  if (!Array.isArray(value)) return mismatch(value, 'slice', path);
  return value.map((item, i) => {
    const where = `${path}[${i}]`;
    return (item === null && of.kind === 'struct' ? decode({}, of, where) : decode(item, of, where)) ?? null;
  });
}

function decodeMap(value: unknown, of: Shape, path: string): JsonObject {
  const out = dict<Json>();
  if (value === null) return out;
  if (!isObject(value)) return mismatch(value, 'map', path);
  for (const key of Object.keys(value)) out[key] = decode(value[key], of, `${path}.${key}`) ?? null;
  return out;
}

function decodeFields(value: unknown, shape: StructShape, path: string): JsonObject {
  const object = value === null ? {} : value;
  if (!isObject(object)) return mismatch(object, shape.name, path);
  const out: JsonObject = {};
  for (const field of shape.fields.values()) {
    const decoded = decodeField(
      Object.hasOwn(object, field.name) ? object[field.name] : undefined,
      field,
      path,
    );
    if (decoded !== undefined) out[field.name] = decoded;
  }
  return out;
}

function decodeField(given: unknown, field: Field, path: string): Json | undefined {
  const { shape } = field;
  const absent = given === undefined || given === null;
  if (field.pointer) return absent ? undefined : decode(given, shape, `${path}.${field.name}`);
  if (absent && field.omitEmpty && shape.kind !== 'struct') return undefined;
  const decoded = decode(absent ? null : given, shape, `${path}.${field.name}`);
  return isOmitted(decoded, field) ? undefined : decoded;
}

/** Whether Go's JSON leaves the field out at this value. */
export function isOmitted(value: Json | undefined, field: Field): boolean {
  if (value === undefined) return true;
  if (!field.omitEmpty || field.pointer) return false;
  if (value === '' || value === 0 || value === false || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object' || Object.keys(value).length > 0) return false;
  // A struct is never empty to Go, but for the one with omitzero.
  return field.shape.kind !== 'struct' || field.name === 'jsonnet';
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mismatch(value: unknown, type: string, path: string): never {
  const kind = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  const name = kind === 'boolean' ? 'bool' : kind;
  throw new TypeError(`json: cannot unmarshal ${name} into Go struct field ${path} of type ${type}`);
}
