import type { KubeObject } from '../object.ts';
import { at, isOlder } from './read.ts';
import { conditionOf, field } from './rules.ts';
import { degraded, type Health, healthy, progressing } from './status.ts';

/** Conditions that are bad when True, by convention. */
const BAD = ['Stalled', 'Failed', 'Failure', 'Degraded'];
/** Conditions that say whether the object is done, the most telling first. */
const DONE = ['Ready', 'Available', 'Succeeded', 'Complete', 'Completed', 'Healthy', 'Synced', 'Established'];

/**
 * An opinion on any object by the conventions that controllers follow (as kstatus does): deletion, generations,
 * Stalled, Reconciling, Ready. An object that says nothing is Healthy. For kinds where `assessHealth` is null.
 */
export function assessGeneral(object: KubeObject): Health {
  if (object.metadata?.deletionTimestamp) return progressing('Pending deletion');
  if (isOlder(at(object, 'status', 'observedGeneration'), object.metadata?.generation)) {
    return progressing('The controller has not seen the latest change yet');
  }
  for (const type of BAD) {
    const condition = conditionOf(object, type);
    if (condition?.status === 'True') return degraded(told(condition));
  }
  const moving = conditionOf(object, 'Reconciling');
  if (moving?.status === 'True') return progressing(told(moving));
  for (const type of DONE) {
    const condition = conditionOf(object, type);
    if (!condition) continue;
    if (isOlder(field(condition, 'observedGeneration'), object.metadata?.generation)) {
      return progressing(`${type} is not known for the latest change yet`);
    }
    return condition.status === 'True' ? healthy(told(condition)) : progressing(told(condition));
  }
  return healthy();
}

function told(condition: unknown): string {
  const message = at(condition, 'message') || at(condition, 'reason') || at(condition, 'type');
  return typeof message === 'string' ? message : '';
}
