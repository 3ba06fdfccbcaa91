import type { WhyLink } from '@muster/api';
import type { SetCondition } from '../store/schema.ts';
import { link } from './links.ts';
import type { WhyFacts } from './why-facts.ts';

/** Conditions of rendering that stop a newer release; others are notices. */
const STOPS = new Set(['RenderError', 'InvalidSpec', 'NotRendered', 'InvalidChild', 'NoLocalCluster']);
const IN_GIT = 'whoever changes it in Git';
/** Work that waits for less than this is on its way. */
const SLOW_MS = 10_000;

const WORK: Record<string, string> = {
  expand: 'the expansion of its ApplicationSet',
  render: 'its rendering',
  assign: 'the signing of its assignment',
  rollout: 'a look at its rollout',
};

/** From Git to a release: what keeps a newer commit from becoming one. */
export function intentLinks(facts: WhyFacts, now: number): WhyLink[] {
  return [
    ...expansionLinks(facts.set, facts.setConditions),
    ...sourceLinks(facts),
    ...renderLinks(facts),
    ...workLinks(facts, now),
    ...problemLinks(facts.problem, facts.set),
  ];
}

export function expansionLinks(set: string | null, conditions: readonly SetCondition[]): WhyLink[] {
  const failed = conditions.find(({ type, status }) => type === 'ErrorOccurred' && status === 'True');
  if (!failed || !set) return [];
  return [
    link('expansion', `ApplicationSet ${set} cannot be expanded: ${failed.message}`, {
      since: failed.lastTransitionTime,
      ends: 'the set, or what its generators read, is put right',
      command: `muster appset get ${set}`,
      who: IN_GIT,
    }),
  ];
}

export function sourceLinks({ sources }: Pick<WhyFacts, 'sources'>): WhyLink[] {
  return sources.slice(0, 5).map(({ url, revision, error, since }) =>
    link('source', `${url} at ${revision} cannot be read: ${error}`, {
      since,
      ends: 'the repository answers, or the revision is there; it is looked at again by itself',
      command: 'muster repo list',
      who: 'whoever looks after the repository',
    }),
  );
}

function renderLinks({ namespace, name, conditions, sources }: WhyFacts): WhyLink[] {
  return conditions.flatMap(({ type, message, since }) => {
    if (type === 'SourceError') {
      // The repository says the same, and knows it sooner.
      return sources.length > 0 ? [] : [link('source', message, { since, who: IN_GIT })];
    }
    if (type === 'ProjectDenied') {
      const ends = 'its project allows it, or the Application asks for something else';
      return [link('render', message, { since, ends, who: 'an admin, by its AppProject' })];
    }
    if (!STOPS.has(type)) return [];
    return [
      link('render', `it cannot be rendered: ${message}`, {
        since,
        ends: 'a commit or a specification that renders',
        command: `muster app get ${namespace}/${name}`,
        who: IN_GIT,
      }),
    ];
  });
}

function workLinks({ work, rendered }: WhyFacts, now: number): WhyLink[] {
  const slow = work.find(
    ({ since, attempts }) => attempts > 0 || !rendered || now - since.getTime() > SLOW_MS,
  );
  if (!slow) return [];
  const what = WORK[slow.queue] ?? slow.queue;
  const text =
    slow.attempts > 0
      ? `${what} failed and is tried again (${slow.attempts} times so far)`
      : `${what} has not been done yet`;
  return [link('work', text, { since: slow.since, ends: 'it is done by itself', command: 'muster status' })];
}

export function problemLinks(problem: WhyFacts['problem'], set: string | null): WhyLink[] {
  if (!problem) return [];
  return [
    link('policy', `nothing newer is rolled out: ${problem.message}`, {
      since: problem.since,
      ends: 'the policy is applied, or no longer asked for',
      command: set ? `muster appset get ${set}` : 'muster rollout policy list',
      who: 'an admin, by `muster apply -f policy.yaml`',
    }),
  ];
}
