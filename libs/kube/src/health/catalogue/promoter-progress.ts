import { field, health, listOf, type Loose, need } from '../rules.ts';

const short = (sha: string | undefined) => (sha ?? '').slice(0, 7);

/** How many commit statuses are in which phase, in words. */
function tally(statuses: Loose[]): { pending: string[]; failed: string[]; counts: string; names: string } {
  const keys = (phase: string) => statuses.filter((s) => s.phase === phase).map((s) => s.key);
  const [pending, good, failed] = [keys('pending'), keys('success'), keys('failure')];
  const list = (label: string, names: string[]) =>
    names.length > 0 ? `${label} commit statuses: ${names.join(', ')}. ` : '';
  return {
    pending,
    failed,
    counts: `${pending.length} pending, ${good.length} successful, ${failed.length} failed. `,
    names: list('Pending', pending) + list('Failed', failed),
  };
}

/** ChangeTransferPolicy: from the active commit to the proposed one. */
export function policyHealth(o: Loose): ReturnType<typeof health> {
  const active = field(o, 'status.active.dry.sha');
  const proposed = field(o, 'status.proposed.dry.sha');
  if (!active) return health('Progressing', 'The active commit DRY SHA is missing or empty.');
  if (!proposed) return health('Progressing', 'The proposed commit DRY SHA is missing or empty.');
  if (proposed !== active) {
    const { counts, names } = tally(listOf(o, 'status.proposed.commitStatuses'));
    return health(
      'Healthy',
      `Promotion in progress from '${short(active)}' to '${short(proposed)}': ${counts}${names}`,
    );
  }
  const { pending, failed, counts, names } = tally(listOf(o, 'status.active.commitStatuses'));
  if (pending.length + failed.length === 0)
    return health('Healthy', `Environment is up-to-date on commit ${short(active)}.`);
  return health(
    'Healthy',
    `Environment is up-to-date, but there are non-successful active commit statuses: ${counts}${names}`,
  );
}

const proposedOf = (e: Loose): string | undefined =>
  field(e, 'proposed.note.drySha') || field(e, 'proposed.dry.sha') || undefined;

/** PromotionStrategy: all environments on one proposed commit, each moved to it. */
export function promotionHealth(o: Loose): ReturnType<typeof health> {
  const environments = listOf(o, 'status.environments');
  const [first] = environments;
  if (!first) return health('Degraded', 'Promotion strategy has no environments configured');
  for (const e of environments) {
    const missing = !field(e, 'active.dry.sha') ? 'active' : !proposedOf(e) ? 'proposed' : undefined;
    if (missing) {
      return health(
        'Progressing',
        `The ${missing} commit DRY SHA is missing or empty in environment '${need(e.branch, 'branch')}'.`,
      );
    }
  }
  if (environments.some((e) => proposedOf(e) !== proposedOf(first))) {
    return health(
      'Progressing',
      'Not all environments have the same proposed commit SHA. This likely means the hydrator has not run for all environments yet.',
    );
  }
  const hydrated = (e: Loose) => `Hydrator has processed dry commit '${short(proposedOf(e))}'.`;
  const moving = environments.find((e) => e.proposed.dry.sha !== e.active.dry.sha);
  if (moving) {
    const { counts, names } = tally(listOf(moving, 'proposed.commitStatuses'));
    const way = `from '${short(moving.active.dry.sha)}' to '${short(moving.proposed.dry.sha)}'`;
    return health(
      'Healthy',
      `Promotion in progress for environment '${moving.branch}' ${way}: ${counts}${names}${hydrated(moving)} `,
    );
  }
  const unsuccessful = environments
    .map((e) => ({ branch: e.branch, ...tally(listOf(e, 'active.commitStatuses')) }))
    .filter(({ pending, failed }) => pending.length + failed.length > 0)
    .map(({ branch, pending, failed }) => `${branch} (${failed.length} failed, ${pending.length} pending)`);
  if (unsuccessful.length > 0) {
    return health(
      'Healthy',
      `Environments are up-to-date, but some environments have non-successful commit statuses: ${unsuccessful.join(', ')}.`,
    );
  }
  return health(
    'Healthy',
    `All environments are up-to-date on commit '${short(first.active.dry.sha)}'. ${hydrated(first)}`,
  );
}
