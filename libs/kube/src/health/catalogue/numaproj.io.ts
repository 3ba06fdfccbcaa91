import {
  conditions,
  type GroupRules,
  has,
  health,
  listOf,
  type Loose,
  rule,
  type Step,
  when,
} from '../rules.ts';

const failedUpgrade = (o: Loose) =>
  o.metadata.labels?.['numaplane.numaproj.io/progressive-result-state'] === 'failed';

/** Numaflow's own kinds: any False condition is bad; `unhealthy` is its message, else the condition's own. */
const flow = (
  kind: string,
  paused: string[],
  options: { unhealthy?: string; upgrades?: boolean } = {},
): Step =>
  rule(
    when(
      (o) => o.status && o.metadata.generation === o.status.observedGeneration,
      when((o) => o.status.phase === 'Failed', 'Degraded: {status.message}'),
      when((o) => options.upgrades !== false && failedUpgrade(o), 'Degraded: Failed progressive upgrade'),
      (o) => {
        const bad = listOf(o, 'status.conditions').findLast((c) => c.status === 'False');
        return bad && health('Degraded', options.unhealthy ?? bad.message);
      },
      when((o) => paused.includes(o.status.phase), `Healthy: ${kind} is paused`),
      when((o) => o.status.phase === 'Running', `Healthy: ${kind} is healthy`),
    ),
    `Progressing: Waiting for ${kind} status`,
  );
const unhealthy = 'Subresources are unhealthy';

export const numaflow: GroupRules = {
  InterStepBufferService: flow('InterStepBufferService', []),
  MonoVertex: flow('MonoVertex', ['Paused'], { unhealthy }),
  Pipeline: flow('Pipeline', ['Paused', 'Pausing'], { unhealthy }),
  Vertex: flow('Vertex', ['Paused'], { upgrades: false }),
};

const childUnhealthy = (o: Loose, isReason: (reason: string | undefined) => boolean) =>
  listOf(o, 'status.conditions').find(
    (c) => c.type === 'ChildResourcesHealthy' && c.status === 'False' && isReason(c.reason),
  );

interface RolloutKind {
  /** Which reason of an unhealthy child is a failure. */
  isFailure: (reason: string | undefined) => boolean;
  /** Knows progressive upgrades. */
  progressive?: boolean;
  /** The condition that says paused. */
  paused?: string;
  unknown: string;
}

/** Numaplane's rollouts: on the way, then failed, then paused, then healthy. */
const rollout = ({ isFailure, progressive = true, paused, unknown }: RolloutKind): Step =>
  rule(
    when(
      (o) => !o.status || o.metadata.generation !== o.status.observedGeneration,
      'Progressing: Not yet reconciled',
    ),
    when(
      (o) =>
        (o.status.upgradeInProgress || o.status.phase === 'Pending') &&
        !(progressive && has(o, 'ProgressiveUpgradeSucceeded', 'False')),
      'Progressing: Update in progress',
    ),
    when((o) => childUnhealthy(o, (reason) => reason === 'Progressing'), 'Progressing: Child Progressing'),
    when((o) => o.status.phase === 'Failed', 'Degraded: {status.message}'),
    (o) => {
      for (const c of listOf(o, 'status.conditions')) {
        if (c.type === 'ChildResourcesHealthy' && c.status === 'False' && isFailure(c.reason))
          return health('Degraded', c.message);
        if (progressive && c.type === 'ProgressiveUpgradeSucceeded' && c.status === 'False') {
          return health('Degraded', 'Progressive upgrade failed');
        }
      }
      return undefined;
    },
    conditions(paused ? { [`${paused}=True`]: 'Healthy: {.message}' } : {}),
    conditions({ 'ChildResourcesHealthy=True': 'Healthy: Healthy' }),
    `Unknown: ${unknown}`,
  );

export const numaplane: GroupRules = {
  ISBServiceRollout: rollout({ isFailure: (reason) => reason === 'ISBSvcFailed', unknown: 'Unknown status' }),
  MonoVertexRollout: rollout({
    isFailure: (reason) => reason === 'MonoVertexFailed',
    paused: 'MonoVertexPausingOrPaused',
    unknown: 'Unknown MonoVertex status',
  }),
  NumaflowControllerRollout: rollout({
    isFailure: (reason) => reason !== 'Progressing',
    progressive: false,
    unknown: 'Unknown status',
  }),
  PipelineRollout: rollout({
    isFailure: (reason) => reason === 'PipelineFailed',
    paused: 'PipelinePausingOrPaused',
    unknown: 'Unknown Pipeline status',
  }),
};
