import type { Json, JsonObject } from '@muster/base';
import { isObject } from './decode.ts';
import type { Shape, StructShape } from './schema.ts';

const PATCH = '$patch';
const RETAIN = '$retainKeys';
const ORDER = '$setElementOrder/';
const DELETE = '$deleteFromPrimitiveList/';

/**
 * Kubernetes' strategic merge patch over the shape of an Application: maps merge, lists are replaced unless the
 * shape says merge, null deletes, directives work. Neither argument is changed; a bad directive throws a TypeError.
 */
export function strategicMerge(original: JsonObject, patch: JsonObject, shape: Shape): JsonObject {
  if (Object.hasOwn(patch, PATCH)) return directive(patch);
  const out: JsonObject = { ...original };
  const changes: JsonObject = { ...patch };
  retainKeys(out, changes);
  orderLists(out, changes, shape);
  for (const key of Object.keys(changes)) {
    if (key.startsWith(DELETE)) deleteItems(out, key.slice(DELETE.length), changes[key]!);
  }
  for (const key of Object.keys(changes))
    if (!key.startsWith(DELETE)) mergeMember(out, key, changes[key]!, shape);
  return out;
}

function directive(patch: JsonObject): JsonObject {
  const { [PATCH]: kind, ...rest } = patch;
  if (kind === 'replace') return rest;
  if (kind === 'delete') return {};
  throw new TypeError(`unknown patch type ${JSON.stringify(kind)} in map`);
}

function mergeMember(out: JsonObject, key: string, change: Json, shape: Shape): void {
  if (change === null) {
    delete out[key];
    return;
  }
  const below = Object.hasOwn(out, key) ? out[key] : undefined;
  if (isObject(below) && isObject(change)) out[key] = strategicMerge(below, change, memberShape(shape, key));
  else if (Array.isArray(below) && Array.isArray(change)) {
    const of = memberShape(shape, key);
    out[key] = of.kind === 'list' && of.merge ? unite(below, change) : change;
  } else {
    const [value, keep] = withoutDirectives(change, below === undefined || typeOf(below) !== typeOf(change));
    if (keep) out[key] = value;
    else delete out[key];
  }
}

const typeOf = (value: Json) => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value);

/** The shape below a key; free-form JSON has none, which the reference refuses. */
function memberShape(shape: Shape, key: string): Shape {
  if (shape.kind === 'struct') {
    const field = shape.fields.get(key);
    if (field) return field.shape;
  }
  if (shape.kind === 'map') return shape.of;
  const struct = shape.kind === 'struct' ? (shape as StructShape).name : 'RawExtension';
  throw new TypeError(
    `unable to find api field in struct ${struct} for the json field ${JSON.stringify(key)}`,
  );
}

/** Drops maps with a directive and, in what is new, null members of maps. */
function withoutDirectives(value: Json, dropNulls: boolean): [Json, boolean] {
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutDirectives(item, dropNulls));
    return [items.filter(([, keep]) => keep).map(([item]) => item), true];
  }
  if (!isObject(value)) return [value, true];
  if (Object.hasOwn(value, PATCH)) return [null, false];
  const out: JsonObject = {};
  for (const key of Object.keys(value)) {
    if (dropNulls && value[key] === null) continue;
    const [member, keep] = withoutDirectives(value[key]!, dropNulls);
    if (keep) out[key] = member;
  }
  return [out, true];
}

function retainKeys(out: JsonObject, changes: JsonObject): void {
  const retain = changes[RETAIN];
  if (retain === undefined) return;
  delete changes[RETAIN];
  if (!Array.isArray(retain)) throw new TypeError('invalid patch format of retainKeys');
  const kept = new Set(retain);
  for (const key of Object.keys(changes)) {
    if (changes[key] === null || key.startsWith(DELETE) || key.startsWith(ORDER)) continue;
    if (!kept.has(key)) throw new TypeError('invalid patch format of retainKeys');
  }
  for (const key of Object.keys(out)) if (!kept.has(key)) delete out[key];
}

function orderLists(out: JsonObject, changes: JsonObject, shape: Shape): void {
  for (const directiveKey of Object.keys(changes)) {
    if (!directiveKey.startsWith(ORDER)) continue;
    const order = changes[directiveKey]!;
    delete changes[directiveKey];
    const key = directiveKey.slice(ORDER.length);
    const own = out[key];
    const change = changes[key];
    if (!Array.isArray(order) || (own !== undefined && !Array.isArray(own)))
      throw new TypeError(`invalid patch format of setElementOrder list for ${key}`);
    const of = memberShape(shape, key);
    if (change !== undefined && !Array.isArray(change))
      throw new TypeError(`invalid patch format of setElementOrder list for ${key}`);
    if (own === undefined && change === undefined) continue;
    const united = own && change && of.kind === 'list' && of.merge ? unite(own, change) : (change ?? own)!;
    delete changes[key];
    out[key] = interleave(united, order, own ?? []);
  }
}

function deleteItems(out: JsonObject, key: string, items: Json): void {
  const own = out[key];
  if (own === undefined) return;
  if (!Array.isArray(own) || !Array.isArray(items)) throw new TypeError(`cannot delete items from ${key}`);
  out[key] = own.filter((item) => !items.includes(item));
}

/** Both lists' items once, the patch's order first. */
function unite(own: Json[], change: Json[]): Json[] {
  return interleave([...new Set([...own, ...change])], change, own);
}

/** Items named by `order` in that order; the others keep the place that they have in `own` relative to them. */
function interleave(items: Json[], order: Json[], own: Json[]): Json[] {
  const named = order.filter((item, i) => items.includes(item) && order.indexOf(item) === i);
  const others = items.filter((item) => !named.includes(item));
  const out: Json[] = [];
  let next = 0;
  for (const item of others) {
    const place = own.indexOf(item);
    while (next < named.length && !(place >= 0 && own.indexOf(named[next]!) > place))
      out.push(named[next++]!);
    out.push(item);
  }
  return [...out, ...named.slice(next)];
}
