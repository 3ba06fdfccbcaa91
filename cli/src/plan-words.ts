import type { PlanGroup, PlanObject, PlanRemoval, PlanResult, PlannedApplication } from '@muster/api';

/** What both ways of showing a plan say in the same words. */

export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/** `2 to add, 198 to change, 1 to remove (1 waits for an approval) on 200 clusters`; `no changes`. */
export function summaryOf({ summary }: PlanResult): string {
  const { added, changed, removed, held, clusters, errors } = summary;
  const waits = held === 0 ? '' : ` (${held} ${held === 1 ? 'waits' : 'wait'} for an approval)`;
  const parts = [
    added > 0 && `${added} to add`,
    changed > 0 && `${changed} to change`,
    removed > 0 && `${removed} to remove${waits}`,
  ].filter((part) => part !== false);
  const what = parts.length === 0 ? 'no changes' : `${parts.join(', ')} on ${count(clusters, 'cluster')}`;
  return errors > 0 ? `${what}; ${count(errors, 'error')}` : what;
}

/** `this change of 3 lines, on 212 clusters` */
export function groupTitle(group: PlanGroup): string {
  const { change, added, removed, applications, clusters, objects } = group;
  const apps = count(applications, 'Application');
  const where = clusters === 0 ? '' : ` on ${count(clusters, 'cluster')}`;
  const rendered = objects.filter((one) => !one.specification).length;
  if (change === 'added')
    return `${apps}${where} added, ${rendered === 0 ? 'with no objects' : `each with ${count(rendered, 'object')}`}`;
  const lines = `this change of ${count(Math.max(added, removed), 'line')} (+${added} −${removed})`;
  return `${apps}${where}: ${lines}`;
}

export function removalTitle({
  applications,
  clusters,
  action,
  held,
  graceSeconds,
  set,
}: PlanRemoval): string {
  const what = `${count(applications, 'Application')}${clusters === 0 ? '' : ` on ${count(clusters, 'cluster')}`} removed`;
  const from = set ? ` from ${set}` : '';
  const fate = action === 'orphan' ? 'objects stay on the cluster' : 'objects are deleted';
  if (held) return `${what}${from}, ${fate}: ${held}`;
  return `${what}${from}, ${fate}${graceSeconds > 0 ? `, after ${duration(graceSeconds)} of leaving` : ', at once'}`;
}

export function objectTitle({ specification, kind, namespace, name }: PlanObject): string {
  if (specification) return 'the Application itself';
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

/** `argocd/web (prod-eu-1)` */
export function memberOf({ namespace, name, cluster }: PlannedApplication): string {
  return `${namespace}/${name}${cluster ? ` (${cluster})` : ''}`;
}

export const SIGNS = { added: '+', changed: '~', removed: '-' } as const;

function duration(seconds: number): string {
  return seconds % 60 === 0 ? count(seconds / 60, 'minute') : count(seconds, 'second');
}
