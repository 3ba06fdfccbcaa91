import { type KubeObject, describeKey, globMatches, keyOf } from '@muster/kube';
import type { GroupKind, ProjectLimits } from '@muster/proto/records';
import { type ObjectRefusal, type Power, objectRefusal } from './power.ts';

/** Why an object may not be applied, and which kind of condition says so. */
export interface Refusal {
  message: string;
  type: 'ProjectDenied' | ObjectRefusal['type'];
}

/**
 * Whether the project of the signed assignment and the agent's own limits allow an object; undefined when they do.
 * Scope undefined: nobody knows the kind, which is then judged as one of the whole cluster.
 */
export function refusalOf(
  object: KubeObject,
  scope: 'namespaced' | 'cluster' | undefined,
  project: ProjectLimits | undefined,
  power: Power,
): Refusal | undefined {
  const key = keyOf(object);
  const name = describeKey(key);
  const namespaced = scope === 'namespaced' || (scope === undefined && key.namespace !== '');
  const own = objectRefusal(power, key, namespaced ? 'namespaced' : 'cluster');
  if (own) return own;
  if (!project) return undefined;
  if (namespaced && !namespaceAllowed(project, key.namespace)) {
    return {
      type: 'ProjectDenied',
      message: `project ${project.name} does not allow namespace ${key.namespace} (${name})`,
    };
  }
  if (!kindAllowed(project, key, namespaced)) {
    return { type: 'ProjectDenied', message: `project ${project.name} does not allow ${name}` };
  }
  return undefined;
}

/** Whether a namespace is a destination of the project: one glob must match, and none that begins with "!". */
export function namespaceAllowed(project: ProjectLimits, namespace: string): boolean {
  let allowed = false;
  for (const pattern of project.namespaces) {
    if (!pattern.startsWith('!')) allowed ||= globMatches(pattern, namespace);
    else if (globMatches(pattern.slice(1), namespace)) return false;
  }
  return allowed;
}

function kindAllowed(project: ProjectLimits, of: GroupKind, namespaced: boolean): boolean {
  const matches = (list: GroupKind[]) =>
    list.some(({ group, kind }) => globMatches(group, of.group) && globMatches(kind, of.kind));
  if (!namespaced) return matches(project.clusterResourceAllow) && !matches(project.clusterResourceDeny);
  if (matches(project.namespaceResourceDeny)) return false;
  return !project.namespaceAllowListed || matches(project.namespaceResourceAllow);
}
