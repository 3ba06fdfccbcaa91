import type { Json, JsonObject } from '@muster/base';
import { type Context, listAt, textsAt } from '../context.ts';
import { isObject } from '../decode.ts';
import { ExpansionError, paramsError } from '../errors.ts';
import { isEmptySet, type Params } from '../params.ts';
import { planJson } from '../plan.ts';
import { type Cell, renderEach, renderTexts, TextError } from '../render.ts';
import type { Generator } from '../types.ts';
import { kindsOf } from './entry.ts';

/** Kinds whose `values` may wait for the child's own parameters. */
const WITH_VALUES = new Set([
  'clusters',
  'git',
  'scmProvider',
  'clusterDecisionResource',
  'pullRequest',
  'plugin',
]);

interface Values {
  path: (string | number)[];
  values: Record<string, string>;
  templated: string[];
}

/**
 * Fills a generator's texts (and keys) from each parameter set. The answer gives the generator for a set, the very
 * same object where nothing was to fill, and throws there if it could not be filled.
 */
export async function interpolate(
  generator: Generator,
  sets: Params[],
  context: Context,
  where: string,
  depth: number,
): Promise<(set: number) => Generator> {
  const found: Values[] = [];
  const rest = split(generator, [], found, where, depth) as Json;
  const plan = planJson(rest, where);
  const groups = context.language.goTemplate ? found : [];
  // Without goTemplate a value is filled as far as it goes, like any other text.
  const whole = context.language.goTemplate ? plan : planJson(known(generator, depth) as Json, where);
  const waiting = groups.flatMap((group) => group.templated.map((name) => group.values[name]!));
  const some = whole.texts.length > 0 || waiting.length > 0;
  const optionsMatter = context.language.goTemplate && context.language.options.length > 0;
  // Passing through has its effect without any text too: null members of maps go.
  const plain = planJson(known(generator, depth) as Json, where).build(() => '') as Generator;
  const unfilled = (set: number) => (isEmptySet(sets[set]!) ? generator : plain);
  if (!some && !optionsMatter) return unfilled;

  // A set without any key fills nothing, and nothing fails because of it.
  const filling = sets.filter((params) => !isEmptySet(params));
  const rowOf = new Map(filling.map((params, row) => [params, row]));
  const rows = await rowsUntilFailure(whole.texts, filling, context);
  const options = missingKeyIsError(context.language.options);
  const cells = await renderEach(waiting, filling, context.language, options);
  return (set) => {
    const row = rowOf.get(sets[set]!);
    if (row === undefined) return generator;
    if (row >= rows.done.length) throw failure(rows.failure!, whole.fields, where);
    if (!some) return plain;
    const filled = whole.build((slot) => rows.done[row]![slot]!) as Generator;
    return groups.length === 0 ? filled : withValues(filled, groups, cells[row]!, where);
  };
}

interface Rows {
  done: string[][];
  failure?: TextError;
}

async function rowsUntilFailure(texts: string[], sets: Params[], context: Context): Promise<Rows> {
  try {
    return { done: await renderTexts(texts, sets, context.language) };
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    const before = await renderTexts(texts, sets.slice(0, error.set), context.language);
    return { done: before, failure: error };
  }
}

function failure(error: TextError, fields: string[], where: string): ExpansionError {
  return paramsError(
    `failed to replace parameters in generator: ${error.message}`,
    fields[error.text] ?? where,
  );
}

function missingKeyIsError(options: string[]): string[] {
  return [...options.filter((option) => !option.startsWith('missingkey=')), 'missingkey=error'];
}

/** The parts of a generator that exist to the reference at this depth. */
function known(generator: Generator, depth: number): JsonObject {
  const out: JsonObject = {};
  for (const kind of kindsOf(generator, depth)) {
    const spec = generator[kind] as unknown as Json;
    out[kind] = (kind === 'matrix' || kind === 'merge') && isObject(spec) ? withoutTemplate(spec) : spec;
  }
  if (generator.selector) out['selector'] = generator.selector as unknown as Json;
  return out;
}

/** A matrix or merge inside another has no template, not even one to be filled. */
function withoutTemplate({ template: _, ...spec }: JsonObject): JsonObject {
  return spec;
}

/** The generator without the `values` that have their own rule; those are collected in `found`. */
function split(
  generator: Generator,
  path: (string | number)[],
  found: Values[],
  where: string,
  depth: number,
): JsonObject {
  const out = known(generator ?? {}, depth);
  for (const kind of Object.keys(out)) {
    const spec = out[kind];
    if (!isObject(spec)) continue;
    if (WITH_VALUES.has(kind) && spec['values']) {
      const values = textsAt(spec['values'], `${where}.${kind}.values`);
      const templated = Object.keys(values).filter((name) => values[name]?.includes('{{'));
      found.push({ path: [...path, kind], values, templated });
      const { values: _, ...others } = spec;
      out[kind] = others;
    } else if (kind === 'matrix' || kind === 'merge') {
      const children = listAt(spec['generators'] as unknown as Generator[], `${where}.${kind}.generators`);
      const inner = children.map((child, i) =>
        split(child, [...path, kind, 'generators', i], found, `${where}.${kind}.generators[${i}]`, depth + 1),
      );
      out[kind] = { ...spec, generators: inner };
    }
  }
  return out;
}

/** A value that misses a key stays whole for the child to fill; any other failure is one of the generator. */
function withValues(filled: Generator, groups: Values[], cells: Cell[], where: string): Generator {
  const out = structuredClone(filled) as unknown as JsonObject;
  let next = 0;
  for (const { path, values, templated } of groups) {
    const resolved: Record<string, string> = { ...values };
    for (const name of templated) {
      const cell = cells[next++]!;
      if (typeof cell === 'string') resolved[name] = cell;
      else if (!/map has no entry for key|can't evaluate field/.test(cell.error))
        throw paramsError(
          `failed to replace parameters in generator: failed to pre-resolve Values key ${JSON.stringify(name)}: ${cell.error}`,
          `${where}.${path.join('.')}.values.${name}`,
        );
    }
    let at: Json = out;
    for (const step of path) at = (at as JsonObject)[step as string]!;
    (at as JsonObject)['values'] = resolved;
  }
  return out as unknown as Generator;
}
