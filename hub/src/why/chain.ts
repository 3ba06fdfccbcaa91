import type { WhyLink } from '@muster/api';
import { shortCommit } from '@muster/api/commits';
import { intentLinks } from './intent-links.ts';
import { deletionLinks, deliveryLinks, placeLinks } from './place-links.ts';
import { dependencyLinks, flightLinks, holdLinks, pinLinks, turnLinks } from './rollout-links.ts';
import { syncLinks } from './sync-links.ts';
import type { WhyFacts } from './why-facts.ts';

/**
 * What blocks a target, along the way from Git to its cluster: what has to happen first comes first. Empty: nothing does, it is
 * synced and healthy at what it should be.
 */
export function chainOf(facts: WhyFacts, now: number): WhyLink[] {
  const app = `${facts.namespace}/${facts.name}`;
  const owner = facts.rollout?.owner ?? facts.set ?? app;
  const id = facts.cluster ? `${app}@${facts.cluster.name}` : app;
  const deletion = deletionLinks(facts);
  const place = placeLinks(facts);
  // Nothing newer comes to what leaves.
  if (deletion.length > 0) return [...deletion, ...place];
  const turn = turnLinks(facts, id);
  const pin = pinLinks(facts.pin, app, facts.project);
  const held =
    turn.length + pin.length > 0 || facts.problem ? [] : holdLinks(facts.hold, owner, facts.project);
  const waits = dependencyLinks(facts, app);
  const silent = place.some(({ kind }) => kind === 'agent');
  const below = silent ? [] : [...(waits.length > 0 ? [] : deliveryLinks(facts)), ...syncLinks(facts)];
  const chain = [
    ...intentLinks(facts, now),
    ...pin,
    ...turn.filter(({ kind }) => !silent || kind !== 'agent'),
    ...held,
    ...waits,
    ...place,
    ...below,
    ...flightLinks(facts, id),
  ];
  return chain.length > 0 ? chain : unexplained(facts);
}

/** It is not well, and nothing that is known says why. */
function unexplained({ sync, health, namespace, name, status, onHub }: WhyFacts): WhyLink[] {
  if ((sync === 'Synced' && health === 'Healthy') || (onHub && sync === 'Synced')) return [];
  return [
    {
      kind: sync === 'Synced' ? 'health' : 'drift',
      text: `it is ${sync} and ${health}`,
      ...(status ? { since: status.healthSince.toISOString() } : {}),
      command: `muster app get ${namespace}/${name}`,
    },
  ];
}

/** One line that says it all. */
export function headlineOf(facts: WhyFacts, links: readonly WhyLink[]): string {
  const [first] = links;
  if (first) return first.text;
  const { release, status } = facts;
  const at = release ? ` at ${release.label}` : '';
  const commit =
    release?.commit && !release.label.includes(shortCommit(release.commit))
      ? ` (commit ${shortCommit(release.commit)})`
      : '';
  const since = status
    ? new Date(Math.max(status.syncSince.getTime(), status.healthSince.getTime())).toISOString()
    : undefined;
  return `nothing: synced and healthy${at}${commit}${since ? `, since ${since.replace(/\.\d+Z$/, 'Z')}` : ''}`;
}
