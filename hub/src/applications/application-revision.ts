import type { ApplicationRevision } from '@muster/api';
import { shortCommit } from '@muster/api/commits';

/** What is known of one source, seen from the commit that is asked for. */
export interface RevisionFacts {
  /** What the source follows, such as `main`. */
  follows: string;
  /** What the Application is to hold of it. */
  assigned: string | undefined;
  /** Where `follows` points now. */
  latest: string | undefined;
  /** Rendered with `latest` it came to the same as is assigned. */
  unchanged: boolean;
  /** The repository has the commit. */
  known: boolean;
  /** The commit is `assigned`, or led to it. */
  inAssigned: boolean;
  /** The commit is `latest`, or led to it. */
  inLatest: boolean;
}

/** Why what is newer is not assigned; undefined: nothing stands in its way. */
export interface Obstacle {
  how: 'held' | 'failed';
  reason: string;
}

/** Whether an Application is at a commit or beyond it, and in words why or why not. Pure. */
export function revisionState(
  asked: string,
  facts: readonly RevisionFacts[],
  obstacle: Obstacle | undefined,
): ApplicationRevision {
  const name = shortCommit(asked);
  const reached = (how: ApplicationRevision['how'], message: string, at: string) => ({
    reached: true,
    how,
    at,
    message,
  });
  for (const { assigned } of facts) {
    if (assigned?.startsWith(asked)) return reached('assigned', `at ${name}`, assigned);
  }
  for (const { assigned, inAssigned } of facts) {
    if (assigned && inAssigned)
      return reached('contained', `at ${shortCommit(assigned)}, which is beyond ${name}`, assigned);
  }
  for (const { assigned, latest, inLatest, unchanged } of facts) {
    if (!assigned || !latest || !inLatest || !unchanged) continue;
    const seen = latest.startsWith(asked) ? '' : `, seen up to ${shortCommit(latest)},`;
    return reached('unchanged', `at ${shortCommit(assigned)}: ${name}${seen} changes nothing here`, assigned);
  }
  return missing(name, facts, obstacle);
}

function missing(
  name: string,
  facts: readonly RevisionFacts[],
  obstacle: Obstacle | undefined,
): ApplicationRevision {
  const assigned = facts.flatMap((one) => one.assigned ?? []);
  const at = assigned.map(shortCommit).join(', ') || 'no revision';
  const answer = (how: ApplicationRevision['how'], message: string) => ({
    reached: false,
    how,
    ...(assigned[0] ? { at: assigned[0] } : {}),
    message: `at ${at}; ${message}`,
  });
  if (facts.some(({ inLatest }) => inLatest)) {
    if (obstacle) return answer(obstacle.how, `${name} is not assigned: ${obstacle.reason}`);
    return answer('coming', `${name} is being rendered`);
  }
  const follows = [...new Set(facts.map((one) => one.follows))].join(', ');
  if (facts.some(({ known }) => known)) return answer('elsewhere', `${name} is not part of ${follows}`);
  return answer('unseen', `the hub has not seen ${name} yet (is it pushed, and part of ${follows}?)`);
}
