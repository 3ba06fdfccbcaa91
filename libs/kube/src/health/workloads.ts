import type { KubeObject } from '../object.ts';
import { conditionsOf, integerAt, stringAt, at } from './read.ts';
import { degraded, type Health, healthy, progressing, suspended } from './status.ts';

const WAITING = 'Waiting for rollout to finish:';

/** Go quotes names with %q. */
const quote = (text: string) => JSON.stringify(text);

function generations(object: KubeObject): { wanted: number; seen: number } {
  return {
    wanted: integerAt(object, 'metadata', 'generation') ?? 0,
    seen: integerAt(object, 'status', 'observedGeneration') ?? 0,
  };
}

/** apps/v1 Deployment: the rollout's progress; of the conditions only the exceeded deadline counts. */
export function deploymentHealth(object: KubeObject): Health {
  if (at(object, 'spec', 'paused') === true) return suspended('Deployment is paused');
  const { wanted, seen } = generations(object);
  if (wanted > seen)
    return progressing(`${WAITING} observed deployment generation less than desired generation`);
  const condition = conditionsOf(object).find(({ type }) => type === 'Progressing');
  if (condition?.reason === 'ProgressDeadlineExceeded') {
    return degraded(
      `Deployment ${quote(stringAt(object, 'metadata', 'name'))} exceeded its progress deadline`,
    );
  }
  const replicas = integerAt(object, 'spec', 'replicas');
  const updated = integerAt(object, 'status', 'updatedReplicas') ?? 0;
  if (replicas !== undefined && updated < replicas) {
    return progressing(`${WAITING} ${updated} out of ${replicas} new replicas have been updated...`);
  }
  const current = integerAt(object, 'status', 'replicas') ?? 0;
  if (current > updated)
    return progressing(`${WAITING} ${current - updated} old replicas are pending termination...`);
  const available = integerAt(object, 'status', 'availableReplicas') ?? 0;
  if (available < updated)
    return progressing(`${WAITING} ${available} of ${updated} updated replicas are available...`);
  return healthy();
}

/** apps/v1 ReplicaSet. */
export function replicaSetHealth(object: KubeObject): Health {
  const { wanted, seen } = generations(object);
  if (wanted > seen)
    return progressing(`${WAITING} observed replica set generation less than desired generation`);
  const failure = conditionsOf(object).find(({ type }) => type === 'ReplicaFailure');
  if (failure?.status === 'True') return degraded(failure.message);
  const replicas = integerAt(object, 'spec', 'replicas');
  const available = integerAt(object, 'status', 'availableReplicas') ?? 0;
  if (replicas !== undefined && available < replicas) {
    return progressing(`${WAITING} ${available} out of ${replicas} new replicas are available...`);
  }
  return healthy();
}

/** apps/v1 DaemonSet. */
export function daemonSetHealth(object: KubeObject): Health {
  const { wanted, seen } = generations(object);
  if (wanted > seen)
    return progressing(`${WAITING} observed daemon set generation less than desired generation`);
  const updated = integerAt(object, 'status', 'updatedNumberScheduled') ?? 0;
  const desired = integerAt(object, 'status', 'desiredNumberScheduled') ?? 0;
  if (stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') {
    return healthy(`daemon set ${updated} out of ${desired} new pods have been updated`);
  }
  const rollout = `Waiting for daemon set ${quote(stringAt(object, 'metadata', 'name'))} rollout to finish:`;
  if (updated < desired)
    return progressing(`${rollout} ${updated} out of ${desired} new pods have been updated...`);
  const available = integerAt(object, 'status', 'numberAvailable') ?? 0;
  if (available < desired)
    return progressing(`${rollout} ${available} of ${desired} updated pods are available...`);
  return healthy();
}

/** apps/v1 StatefulSet: with a rollingUpdate block revisions are not compared. */
export function statefulSetHealth(object: KubeObject): Health {
  const { wanted, seen } = generations(object);
  if (seen === 0 || wanted > seen)
    return progressing('Waiting for statefulset spec update to be observed...');
  const replicas = integerAt(object, 'spec', 'replicas');
  const ready = integerAt(object, 'status', 'readyReplicas') ?? 0;
  if (replicas !== undefined && ready < replicas)
    return progressing(`Waiting for ${replicas - ready} pods to be ready...`);
  const updated = integerAt(object, 'status', 'updatedReplicas') ?? 0;
  const strategy = stringAt(object, 'spec', 'updateStrategy', 'type');
  if (
    strategy === 'RollingUpdate' &&
    (at(object, 'spec', 'updateStrategy', 'rollingUpdate') ?? null) !== null
  ) {
    const partition = integerAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
    if (replicas !== undefined && partition !== undefined && updated < replicas - partition) {
      const toUpdate = replicas - partition;
      return progressing(
        `Waiting for partitioned roll out to finish: ${updated} out of ${toUpdate} new pods have been updated...`,
      );
    }
    return healthy(`partitioned roll out complete: ${updated} new pods have been updated...`);
  }
  if (strategy === 'OnDelete') return healthy(`statefulset has ${ready} ready pods`);
  const updateRevision = stringAt(object, 'status', 'updateRevision');
  const currentRevision = stringAt(object, 'status', 'currentRevision');
  if (updateRevision !== currentRevision) {
    return progressing(
      `waiting for statefulset rolling update to complete ${updated} pods at revision ${updateRevision}...`,
    );
  }
  const current = integerAt(object, 'status', 'currentReplicas') ?? 0;
  return healthy(`statefulset rolling update complete ${current} pods at revision ${currentRevision}...`);
}

/** batch/v1 Job: the conditions count whatever their status; a resumed, still running Job is Healthy. */
export function jobHealth(object: KubeObject): Health {
  let failure: string | undefined;
  let complete = false;
  let isSuspended = false;
  let message = '';
  for (const condition of conditionsOf(object)) {
    if (condition.type === 'Failed') {
      failure = condition.message;
      complete = true;
    } else if (condition.type === 'Complete' || condition.type === 'Suspended') {
      complete = true;
      message = condition.message;
      if (condition.type === 'Suspended' && condition.status === 'True') isSuspended = true;
    }
  }
  if (!complete) return progressing(message);
  if (failure !== undefined) return degraded(failure);
  return isSuspended ? suspended(message) : healthy(message);
}
