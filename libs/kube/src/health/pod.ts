import { ANNOTATION } from '../annotations.ts';
import { annotationOf, type KubeObject } from '../object.ts';
import { hooksOf } from '../sync/hooks.ts';
import { at, conditionsOf, integerAt, listAt, stringAt } from './read.ts';
import { degraded, type Health, healthy, progressing, unknown } from './status.ts';

/** v1 Pod. Pods that end (restartPolicy Never, OnFailure) are Progressing while they run, for the sake of hooks. */
export function podHealth(object: KubeObject): Health {
  const policy = stringAt(object, 'spec', 'restartPolicy');
  const longRunning =
    policy === 'Always' ||
    (annotationOf(object, ANNOTATION.ignoreRestartPolicy) === 'true' && !hooksOf(object));
  const containers = listAt(object, 'status', 'containerStatuses');
  if (longRunning) {
    const stuck = containers.filter(isStuck);
    if (stuck.length > 0)
      return degraded(stuck.map((c) => stringAt(c, 'state', 'waiting', 'message')).join(', '));
  }
  const message = stringAt(object, 'status', 'message');
  switch (stringAt(object, 'status', 'phase')) {
    case 'Pending':
      return progressing(message);
    case 'Succeeded':
      return healthy(message);
    case 'Failed':
      return degraded(
        message || failureOf([...listAt(object, 'status', 'initContainerStatuses'), ...containers]),
      );
    case 'Running':
      if (longRunning) return runningHealth(object, containers, message);
      return policy === 'OnFailure' || policy === 'Never' ? progressing(message) : unknown(message);
    default:
      return unknown(message);
  }
}

/** A container that waits because it cannot start: image pulls, crash loops, wrong configuration. */
function isStuck(container: unknown): boolean {
  const reason = stringAt(container, 'state', 'waiting', 'reason');
  return reason.startsWith('Err') || reason.endsWith('Error') || reason.endsWith('BackOff');
}

function runningHealth(object: KubeObject, containers: unknown[], message: string): Health {
  const ready = conditionsOf(object).find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return healthy(message);
  const endedBefore = containers.some(
    (container) => (at(container, 'lastState', 'terminated') ?? null) !== null,
  );
  return endedBefore ? degraded(message) : progressing(message);
}

function failureOf(containers: unknown[]): string {
  for (const container of containers) {
    if ((at(container, 'state', 'terminated') ?? null) === null) continue;
    const message = stringAt(container, 'state', 'terminated', 'message');
    if (message) return message;
    const reason = stringAt(container, 'state', 'terminated', 'reason');
    if (reason === 'OOMKilled') return reason;
    const exitCode = integerAt(container, 'state', 'terminated', 'exitCode') ?? 0;
    if (exitCode !== 0)
      return `container ${JSON.stringify(stringAt(container, 'name'))} failed with exit code ${exitCode}`;
  }
  return '';
}
