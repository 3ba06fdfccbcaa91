import { textsAt } from '../context.ts';
import { paramsError } from '../errors.ts';
import { compileSelector, type Matcher, parameterRules } from '../selector.ts';
import type { Generator } from '../types.ts';

export type Kind = Exclude<keyof Generator, 'selector'>;

/** The kinds in the order in which an entry that names several runs them. */
const KINDS: Kind[] = [
  'list',
  'clusters',
  'git',
  'scmProvider',
  'clusterDecisionResource',
  'pullRequest',
  'matrix',
  'merge',
  'plugin',
];

/** How deep generators nest: a matrix or merge in a matrix or merge, and no further. */
const MAX_DEPTH = 2;

/** Checks the selector beside a generator, which comes before the generator runs and is never a template. */
export function selectorOf(generator: Generator, where: string): Matcher | undefined {
  if (!generator?.selector) return undefined;
  textsAt(generator.selector.matchLabels, `${where}.selector.matchLabels`);
  try {
    return compileSelector(generator.selector, parameterRules);
  } catch (error) {
    throw paramsError(`error parsing label selector: ${(error as Error).message}`, `${where}.selector`);
  }
}

/** The kinds an entry names. `depth` counts the matrices and merges around it; deeper ones do not exist. */
export function kindsOf(generator: Generator, depth: number): Kind[] {
  const kinds = KINDS.filter((kind) => generator?.[kind] !== undefined && generator[kind] !== null);
  return depth < MAX_DEPTH ? kinds : kinds.filter((kind) => kind !== 'matrix' && kind !== 'merge');
}
