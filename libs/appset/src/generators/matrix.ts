import { checkSets } from '../bounds.ts';
import { type Context, listAt, within } from '../context.ts';
import { paramsError } from '../errors.ts';
import { combineTexts, mergeDeep } from '../merge-params.ts';
import { dict, type Params } from '../params.ts';
import type { Generator, MatrixGenerator } from '../types.ts';
import { selectorOf } from './entry.ts';
import { interpolate } from './interpolate.ts';

/** Every pair of the two children's sets; the second child's texts are filled from the first's parameters. */
export async function matrixParameters(
  generator: MatrixGenerator,
  context: Context,
  where: string,
  depth: number,
): Promise<Params[]> {
  const children = listAt(generator.generators, `${where}.generators`);
  if (children.length !== 2)
    throw paramsError(
      children.length < 2
        ? 'found less than two generators, Matrix support only two'
        : 'found more than two generators, Matrix support only two',
      where,
    );
  const [firstPlace, secondPlace] = [`${where}.generators[0]`, `${where}.generators[1]`];
  const firsts = await within(
    firstPlace,
    'error failed to get params for first generator in matrix generator: ',
    () => context.child(children[0]!, firstPlace, depth + 1),
  );
  const second = secondChild(children[1]!, firsts, context, secondPlace, depth + 1);
  const out: Params[] = [];
  for (let i = 0; i < firsts.length; i++) {
    context.signal?.throwIfAborted();
    const seconds = await second(i);
    checkSets(out.length + seconds.length, where);
    for (const params of seconds) {
      const combined = combine(firsts[i]!, params, context, where);
      const origin = context.origins.get(firsts[i]!) ?? context.origins.get(params);
      if (origin !== undefined) context.origins.set(combined, origin);
      out.push(combined);
    }
  }
  return out;
}

/** Runs the second child for the i-th set of the first; once only while its texts come out the same. */
function secondChild(child: Generator, firsts: Params[], context: Context, where: string, depth: number) {
  let filled: Promise<(i: number) => Generator> | undefined;
  let last: { generator: Generator; sets: Params[] } | undefined;
  return (i: number): Promise<Params[]> =>
    within(where, 'failed to get params for second generator in the matrix generator: ', async () => {
      const selector = selectorOf(child, where);
      filled ??= interpolate(child, firsts, context, where, depth);
      const generator = (await filled)(i);
      if (last?.generator !== generator)
        last = {
          generator,
          sets: await context.child(generator, where, depth, selector ?? (() => true)),
        };
      return last.sets;
    });
}

function combine(first: Params, second: Params, context: Context, where: string): Params {
  try {
    if (!context.language.goTemplate) return combineTexts(first, second);
    return mergeDeep(mergeDeep(dict(), second), first);
  } catch (error) {
    throw paramsError(
      `failed to combine string maps with merging params for the matrix generator: ${(error as Error).message}`,
      where,
    );
  }
}
