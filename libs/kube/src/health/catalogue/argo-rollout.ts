import { conditions, field, health, type Loose, requires, type Rule, rule, when } from '../rules.ts';

const number = (value: unknown, otherwise: number) => (typeof value === 'number' ? value : otherwise);
const toNumber = (value: unknown) =>
  value === undefined || value === null || value === '' || Number.isNaN(Number(value))
    ? undefined
    : Number(value);

function isObserved(o: Loose): boolean {
  if (!o.status) return false;
  const observed = toNumber(o.status.observedGeneration);
  // Early controllers wrote a hash, which says nothing.
  if (observed !== undefined && observed <= o.metadata.generation && observed !== o.metadata.generation)
    return false;
  if (!o.spec.workloadRef || !o.metadata.annotations) return true;
  const workload = toNumber(o.metadata.annotations['rollout.argoproj.io/workload-generation']);
  return workload === toNumber(o.status.workloadObservedGeneration);
}

const stableOf = (o: Loose): string | undefined =>
  o.status.stableRS ?? (o.status.canary ? o.status.canary.stableRS : '');

const blueGreen = rule(
  when(
    (o) => !o.status.blueGreen || o.status.blueGreen.activeSelector !== o.status.currentPodHash,
    'Progressing: active service cutover pending',
  ),
  when(
    (o) => stableOf(o) !== '' && stableOf(o) !== o.status.currentPodHash,
    'Progressing: waiting for analysis to complete',
  ),
);

const canary = rule(
  when(
    (o) => number(o.status.replicas, 0) > number(o.status.updatedReplicas, 0),
    'Progressing: Waiting for roll out to finish: old replicas are pending termination',
  ),
  when(
    (o) => stableOf(o) === '' || stableOf(o) !== o.status.currentPodHash,
    'Progressing: Waiting for rollout to finish steps',
  ),
);

/** argoproj.io Rollout: the controller's own phase where it writes one, else what older controllers leave to be found out. */
export const rolloutHealth: Rule = rule(
  when((o) => !isObserved(o), 'Progressing: Waiting for rollout spec update to be observed'),
  when(
    (o) => field(o, 'status.phase') !== undefined,
    (o) => health(o.status.phase === 'Paused' ? 'Suspended' : o.status.phase, o.status.message),
  ),
  requires('status.conditions'),
  conditions({
    InvalidSpec: 'Degraded: {.message}',
    'Progressing/RolloutAborted': 'Degraded: {.message}',
    'Progressing/ProgressDeadlineExceeded': 'Degraded: {.message}',
  }),
  when((o) => o.status.pauseConditions?.length > 0 || o.spec.paused, 'Suspended: Rollout is paused'),
  when(
    (o) => field(o, 'status.currentPodHash') === undefined,
    'Progressing: Waiting for rollout to finish: status has not been reconciled.',
  ),
  when(
    (o) => number(o.status.updatedReplicas, 0) < number(o.spec.replicas, 1),
    'Progressing: Waiting for roll out to finish: More replicas need to be updated',
  ),
  when(
    (o) => number(o.status.availableReplicas, 0) < number(o.status.updatedReplicas, 0),
    'Progressing: Waiting for roll out to finish: updated replicas are still becoming available',
  ),
  (o) => (o.spec.strategy.blueGreen ? blueGreen(o) : o.spec.strategy.canary ? canary(o) : undefined),
  'Healthy',
);
