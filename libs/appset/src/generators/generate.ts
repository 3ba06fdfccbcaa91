import { checkSets } from '../bounds.ts';
import { type Context, within } from '../context.ts';
import { paramsError } from '../errors.ts';
import { flatten, type Params } from '../params.ts';
import type { Matcher } from '../selector.ts';
import type { ApplicationTemplate, Generator } from '../types.ts';
import { clusterParameters } from './clusters.ts';
import { type Kind, kindsOf, selectorOf } from './entry.ts';
import { decisionParameters } from './decisions.ts';
import { externalParameters } from './external.ts';
import { gitParameters } from './git.ts';
import { listParameters } from './list.ts';
import { matrixParameters } from './matrix.ts';
import { mergeParameters } from './merge.ts';
import { pluginParameters } from './plugin.ts';

type Run = (generator: never, context: Context, where: string, depth: number) => Promise<Params[]>;

const RUNS: Record<Kind, Run> = {
  list: listParameters,
  clusters: clusterParameters,
  git: gitParameters,
  scmProvider: externalParameters('scmProvider'),
  clusterDecisionResource: decisionParameters,
  pullRequest: externalParameters('pullRequest'),
  matrix: matrixParameters,
  merge: mergeParameters,
  plugin: pluginParameters,
};

export interface Generated {
  kind: Kind;
  template: ApplicationTemplate | undefined;
  sets: Params[];
}

/** Runs every kind that an entry names and keeps the parameter sets that its selector takes. */
export async function generate(
  generator: Generator,
  context: Context,
  where: string,
  depth = 0,
  selector = selectorOf(generator, where),
): Promise<Generated[]> {
  const out: Generated[] = [];
  for (const kind of kindsOf(generator, depth)) {
    context.signal?.throwIfAborted();
    const place = `${where}.${kind}`;
    const spec = generator[kind];
    if (typeof spec !== 'object' || Array.isArray(spec)) throw paramsError('this must be a map', place);
    const sets = await within(place, '', () => RUNS[kind](spec as never, context, place, depth));
    checkSets(sets.length, place);
    const kept = selector ? sets.filter((params) => selector(flatten(params, true))) : sets;
    out.push({ kind, template: spec!.template, sets: kept });
  }
  return out;
}

/** The parameter sets of a child of a matrix or merge, which must name exactly one kind. */
export async function generateChild(
  generator: Generator,
  context: Context,
  where: string,
  depth: number,
  selector?: Matcher,
): Promise<Params[]> {
  const results = await within(where, 'child generator returned an error on parameter generation: ', () =>
    generate(generator ?? {}, context, where, depth, selector),
  );
  if (results.length === 0) throw paramsError('child generator generated no parameters', where);
  if (results.length > 1)
    throw paramsError('found more than one generator in a child; it may have one kind', where);
  return results[0]!.sets;
}
