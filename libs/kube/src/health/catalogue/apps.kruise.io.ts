import { type GroupRules, type Loose, need, rule, type Step, when } from '../rules.ts';

const isObserved = (o: Loose) => o.status && o.metadata.generation === o.status.observedGeneration;
const waiting = 'Progressing: Waiting for initialization';
const known = (value: unknown) => value !== undefined && value !== null;

/** Workloads whose rollout stops at a partition until someone moves it. */
const partitioned = (
  label: string,
  paused: (o: Loose) => boolean,
  partition: (o: Loose) => unknown,
  atPartition: (o: Loose) => boolean,
): Step =>
  rule(
    when(
      isObserved,
      when((o) => paused(o) || !known(o.status.updatedAvailableReplicas), `Suspended: ${label} is paused`),
      when(
        (o) => partition(o) !== 0 && o.metadata.generation > 1,
        when(atPartition, `Suspended: ${label} needs manual intervention`),
        waiting,
      ),
      when(
        (o) => o.status.updatedAvailableReplicas === o.status.replicas,
        `Healthy: All ${label} workloads are ready and updated`,
      ),
      'Degraded: Some replicas are not ready or available',
    ),
    waiting,
  );

export const rules: GroupRules = {
  AdvancedCronJob: rule(
    when((o) => !o.status.lastScheduleTime && o.spec.paused === true, 'Suspended: AdvancedCronJob is Paused'),
    when((o) => o.status.active?.length > 0, 'Progressing: AdvancedCronJobs has active jobs'),
    when((o) => o.status.lastScheduleTime, 'Healthy: AdvancedCronJobs has run successfully'),
    'Degraded: AdvancedCronJobs has not run successfully',
  ),
  BroadcastJob: rule(
    when(
      (o) => o.status,
      when(
        (o) => o.status.desired === o.status.succeeded && o.status.phase === 'completed',
        'Healthy: BroadcastJob is completed successfully',
      ),
      when(
        (o) => o.status.active !== 0 && o.status.phase === 'running',
        'Progressing: BroadcastJob is still running',
      ),
      when((o) => o.status.failed !== 0 && o.status.phase === 'failed', 'Degraded: BroadcastJob failed'),
      when((o) => o.status.phase === 'paused' && o.spec.paused === true, 'Suspended: BroadcastJob is Paused'),
    ),
    'Progressing: BroadcastJob is still running',
  ),
  CloneSet: partitioned(
    'Cloneset',
    (o) => o.spec.updateStrategy.paused === true,
    (o) => o.spec.updateStrategy.partition,
    (o) =>
      need(o.status.updatedReplicas, 'updatedReplicas') >=
      need(o.status.expectedUpdatedReplicas, 'expectedUpdatedReplicas'),
  ),
  StatefulSet: partitioned(
    'Statefulset',
    (o) => o.spec.updateStrategy.rollingUpdate.paused === true,
    (o) => o.spec.updateStrategy.rollingUpdate.partition,
    (o) =>
      need(o.status.updatedReplicas, 'updatedReplicas') >
      o.status.replicas - need(o.spec.updateStrategy.rollingUpdate.partition, 'partition'),
  ),
  DaemonSet: rule(
    when(
      isObserved,
      when(
        (o) => o.spec.updateStrategy.rollingUpdate.paused === true || !known(o.status.updatedNumberScheduled),
        'Suspended: Daemonset is paused',
      ),
      when(
        (o) => o.spec.updateStrategy.rollingUpdate.partition && o.metadata.generation > 1,
        when(
          (o) =>
            o.status.updatedNumberScheduled >
            o.status.desiredNumberScheduled - o.spec.updateStrategy.rollingUpdate.partition,
          'Suspended: Daemonset needs manual intervention',
        ),
        waiting,
      ),
      when(
        (o) =>
          o.status.updatedNumberScheduled === o.status.desiredNumberScheduled &&
          o.status.numberAvailable === o.status.desiredNumberScheduled,
        'Healthy: All Daemonset workloads are ready and updated',
      ),
      when(
        (o) =>
          o.status.updatedNumberScheduled === o.status.desiredNumberScheduled &&
          o.status.numberUnavailable === o.status.desiredNumberScheduled,
        'Degraded: Some pods are not ready or available',
      ),
    ),
    waiting,
  ),
};
