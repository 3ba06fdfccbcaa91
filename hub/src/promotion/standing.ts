import type { EnvironmentStanding } from '@muster/rollout';
import type { StandingFacts } from './standings.repository.ts';

/** What an environment is at; `commit` has to be chosen still where its targets are at several. */
export function standingOf(
  owner: string,
  facts: StandingFacts | undefined,
): Exclude<EnvironmentStanding, { kind: 'passed' }> | (Omit<Passed, 'commit'> & { commits: string[] }) {
  const notYet = (why: string) => ({ kind: 'not-yet', why }) as const;
  if (!facts) return notYet(`${owner} has no release yet`);
  const { number, cause, targets, proven, healthy, behind, phase, foreign, commits, provenAt } = facts;
  const release = `release ${number}`;
  const such = behind.length > 0 ? `, such as ${behind.join(', ')}` : '';
  if (targets === 0) return notYet(`${release} has no targets`);
  if (phase !== null && phase !== 'completed') return notYet(`${release} ${PHASES[phase] ?? phase}`);
  if (proven < targets)
    return notYet(`${release} was healthy on ${proven} of ${targets} targets so far${such}`);
  if (healthy < targets) return notYet(`${healthy} of ${targets} targets are healthy now${such}`);
  if (foreign > 0 || commits.length === 0)
    return notYet(`${release} does not come from the repository of the promotion`);
  const label = `release ${number} (${cause})`;
  return { kind: 'passed', release: facts.releaseId, number, label, commits, since: provenAt!.getTime() };
}

type Passed = Extract<EnvironmentStanding, { kind: 'passed' }>;

const PHASES: Record<string, string> = {
  pending: 'waits for its turn',
  running: 'is on its way',
  'rolling-back': 'is being taken back',
  failed: 'has failed',
  'rolled-back': 'was taken back',
  aborted: 'was ended by hand',
  superseded: 'was superseded',
};
