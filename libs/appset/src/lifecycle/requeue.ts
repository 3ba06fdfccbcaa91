import type { ApplicationSet, Generator } from '../types.ts';

/**
 * Generators that ask someone who may not tell of changes are asked again after half an hour, as by the reference.
 * Decisions on clusters are applied to the hub, so their changes are known: asked again only where the set says so.
 */
const DEFAULT_SECONDS = { scmProvider: 1800, pullRequest: 1800, clusterDecisionResource: 0, plugin: 1800 };
const ASKED = Object.keys(DEFAULT_SECONDS) as (keyof typeof DEFAULT_SECONDS)[];

/** Seconds after which a set is to be expanded again; undefined where all it reads tells of its changes. */
export function requeueAfterSeconds({ spec }: ApplicationSet): number | undefined {
  const all = (spec.generators ?? []).flatMap(secondsOf).filter((seconds) => seconds > 0);
  return all.length > 0 ? Math.min(...all) : undefined;
}

function secondsOf(generator: Generator): number[] {
  const children = [...(generator.matrix?.generators ?? []), ...(generator.merge?.generators ?? [])];
  return [
    ...ASKED.flatMap((kind) => {
      const found = generator[kind];
      return found ? [found.requeueAfterSeconds ?? DEFAULT_SECONDS[kind]] : [];
    }),
    ...children.flatMap((child) => (child ? secondsOf(child) : [])),
  ];
}

/** Whether all that a set makes are previews of pull requests: they come and go with them. */
export function makesPreviews({ spec }: ApplicationSet): boolean {
  const generators = spec.generators ?? [];
  return generators.length > 0 && generators.every(asksForPullRequests);
}

function asksForPullRequests(generator: Generator): boolean {
  const children = [...(generator.matrix?.generators ?? []), ...(generator.merge?.generators ?? [])];
  return Boolean(generator.pullRequest) || children.some((child) => child && asksForPullRequests(child));
}
