import type { Json, JsonObject } from '@muster/base';
import { isObject, isOmitted } from './decode.ts';
import type { Shape, StructShape } from './schema.ts';

/** Gives the rendered text of a slot of one application. */
export type Slot = (index: number) => string;

type Build = (slot: Slot) => Json;

/**
 * A template compiled once for many applications: `texts` are its strings with a placeholder, in the order in which
 * the reference renders them, and `build` puts an application together from them. What holds no placeholder is
 * shared by all applications and frozen.
 */
export interface Plan {
  texts: string[];
  /** The field of each text, for errors. */
  fields: string[];
  build(slot: Slot): JsonObject;
}

/** Compiles a decoded template (see decode.ts). */
export function planTemplate(template: JsonObject, shape: StructShape): Plan {
  const plan: Plan = { texts: [], fields: [], build: () => template };
  const build = compile(
    template,
    shape,
    shape.name === 'ApplicationSetTemplate' ? 'template' : shape.name,
    plan,
  );
  plan.build = build as (slot: Slot) => JsonObject;
  return plan;
}

/** Compiles free-form JSON: every string and every key of a map is a template. */
export function planJson(value: Json, where: string): Omit<Plan, 'build'> & { build(slot: Slot): Json } {
  const plan: Plan = { texts: [], fields: [], build: () => ({}) };
  return { ...plan, build: compile(value, raw, where, plan) };
}

function compile(value: Json, shape: Shape, where: string, plan: Plan): Build {
  const before = plan.texts.length;
  const built = compileAny(value, shape, where, plan);
  if (plan.texts.length > before) return built;
  const shared = freeze(built(() => ''));
  return () => shared;
}

function compileAny(value: Json, shape: Shape, where: string, plan: Plan): Build {
  if (typeof value === 'string') return compileText(value, where, plan);
  if (Array.isArray(value)) {
    const of: Shape = shape.kind === 'list' ? shape.of : raw;
    const items = value.map((item, i) => compile(item, of, `${where}[${i}]`, plan));
    return (slot) => items.map((item) => item(slot));
  }
  if (!isObject(value)) return () => value;
  return shape.kind === 'struct'
    ? compileStruct(value, shape, where, plan)
    : compileMap(value, shape, where, plan);
}

const raw: Shape = { kind: 'raw' };

function compileText(text: string, where: string, plan: Plan): Build {
  const slot = take(text, where, plan);
  return slot < 0 ? () => text : (rendered) => rendered(slot);
}

function take(text: string, where: string, plan: Plan): number {
  if (!text.includes('{{')) return -1;
  plan.fields.push(where);
  return plan.texts.push(text) - 1;
}

function compileStruct(value: JsonObject, shape: StructShape, where: string, plan: Plan): Build {
  const members: { name: string; build: Build; mayVanish: boolean }[] = [];
  for (const field of shape.fields.values()) {
    const member = value[field.name];
    if (member === undefined) continue;
    const build = compile(member, field.shape, `${where}.${field.name}`, plan);
    members.push({ name: field.name, build, mayVanish: typeof member === 'string' && isOmitted('', field) });
  }
  return (slot) => {
    const out: JsonObject = {};
    for (const { name, build, mayVanish } of members) {
      const built = build(slot);
      if (!mayVanish || built !== '') out[name] = built;
    }
    return out;
  };
}

/** Keys are templates too, rendered after their value; in free-form JSON a null member vanishes. */
function compileMap(value: JsonObject, shape: Shape, where: string, plan: Plan): Build {
  const of = shape.kind === 'map' ? shape.of : raw;
  const members: { key: string; slot: number; build: Build }[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key]!;
    if (member === null) continue;
    const build = compile(member, of, `${where}.${key}`, plan);
    members.push({ key, slot: take(key, `${where} (a key)`, plan), build });
  }
  return (slot) => {
    const out: JsonObject = {};
    for (const { key, slot: keySlot, build } of members)
      put(out, keySlot < 0 ? key : slot(keySlot), build(slot));
    return out;
  };
}

/** Sets a member under any key, `__proto__` included. */
function put(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}

function freeze(value: Json): Json {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value) as Json;
}
