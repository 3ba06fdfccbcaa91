import { type Context, listAt, within } from '../context.ts';
import { paramsError } from '../errors.ts';
import { copy, mergeDeep, mergeKey } from '../merge-params.ts';
import type { Params } from '../params.ts';
import type { MergeGenerator } from '../types.ts';

/** The first child's sets, each overridden by those of the later children that have the same merge keys. */
export async function mergeParameters(
  generator: MergeGenerator,
  context: Context,
  where: string,
  depth: number,
): Promise<Params[]> {
  const children = listAt(generator.generators, `${where}.generators`);
  if (children.length < 2)
    throw paramsError('found less than two generators, Merge requires two or more', where);
  const answers: Params[][] = [];
  for (const [i, child] of children.entries()) {
    const prefix = `error getting param sets from generators: error getting params from generator ${i + 1} of ${children.length}: `;
    const place = `${where}.generators[${i}]`;
    answers.push(await within(place, prefix, () => context.child(child, place, depth + 1)));
  }
  const keys = listAt(generator.mergeKeys, `${where}.mergeKeys`);
  const [base, ...overrides] = answers.map((sets) => byKey(keys, sets, where)) as [Map<string, Params>];
  const merged = new Map([...base].map(([key, set]) => [key, copy(set)]));
  for (const override of overrides as Map<string, Params>[]) {
    for (const [key, set] of merged) {
      const over = override.get(key);
      if (over === undefined) continue;
      if (context.language.goTemplate) mergeDeep(set, over);
      else Object.assign(set, over);
    }
  }
  return [...merged.values()];
}

function byKey(keys: string[], sets: Params[], where: string): Map<string, Params> {
  const prefix = 'error getting param sets by merge key: ';
  if (keys.length === 0)
    throw paramsError(
      `${prefix}no merge keys were specified, Merge requires at least one`,
      `${where}.mergeKeys`,
    );
  const out = new Map<string, Params>();
  for (const set of sets) {
    const key = mergeKey(keys, set);
    if (out.has(key))
      throw paramsError(
        `${prefix}the parameters from a generator were not unique by the given mergeKeys, Merge requires all param sets to be unique. Duplicate key was ${key}`,
        `${where}.mergeKeys`,
      );
    out.set(key, set);
  }
  return out;
}
