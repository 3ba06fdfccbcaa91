import { MusterError } from '@muster/base';
import { type Accepted, type Verb, accepts, observesOnly, verbRefusal } from '@muster/link';
import { type GroupKind, type ObjectKey, describeKey, globMatches, groupKindString } from '@muster/kube';
import type { AgentLimits, ProjectLimits } from '@muster/proto/records';
import type { RequestRefusal } from '../kube/client.ts';

/** What this agent may be made to do, whatever its hub signs: the settings of whoever installed it. */
export interface Power {
  /** Verbs; undefined: all. */
  accepted: Accepted;
  /** Globs over namespaces, `!` in front denies; empty: all. */
  namespaces: readonly string[];
  /** Globs over `group/Kind`, core kinds by the bare Kind, `!` in front denies; empty: all. */
  kinds: readonly string[];
  /** The same for cluster-scoped kinds; empty: none where namespaces are listed, else all. */
  clusterKinds: readonly string[];
  /** Globs over the ServiceAccounts (`namespace/name`) that it acts as, `!` in front denies; empty: any. */
  serviceAccounts: readonly string[];
  /** It writes nothing as itself. */
  needsServiceAccount: boolean;
}

export const FULL_POWER: Power = {
  accepted: undefined,
  namespaces: [],
  kinds: [],
  clusterKinds: [],
  serviceAccounts: [],
  needsServiceAccount: false,
};

/** What the hub is told of it. */
export function limitsOf(power: Power): AgentLimits {
  const { accepted, needsServiceAccount } = power;
  return {
    verbs: accepted ? [...accepted] : [],
    namespaces: [...power.namespaces],
    kinds: [...power.kinds],
    clusterKinds: [...power.clusterKinds],
    serviceAccounts: [...power.serviceAccounts],
    needsServiceAccount,
  };
}

/** Whether the agent does what a verb names. */
export function may(power: Power, verb: Verb): boolean {
  return accepts(power.accepted, verb);
}

/** Throws `forbidden` for a verb that the agent does not accept. */
export function requireVerb({ accepted }: Power, verb: Verb): void {
  const refusal = verbRefusal(accepted, verb);
  if (refusal) throw new MusterError('forbidden', refusal);
}

/** Whether it changes nothing in its cluster. */
export function isObserver(power: Power): boolean {
  return observesOnly(power.accepted);
}

/** The namespaces to watch one by one; empty: the whole cluster at once, as globs and denials need. */
export function watchedNamespaces({ namespaces }: Pick<Power, 'namespaces'>): string[] {
  const allowed = namespaces.filter((each) => !each.startsWith('!'));
  if (allowed.some((each) => /[*?[{\\]/.test(each))) return [];
  return allowed.filter((each) => matches(namespaces, each));
}

/** Why the agent touches an object not, and the kind of condition that says so. */
export interface ObjectRefusal {
  message: string;
  type: 'NamespaceDenied' | 'KindDenied';
}

/**
 * Why the agent touches no such object, whoever asks; undefined when it may. A Namespace counts as one of the cluster
 * and as its own: it needs a cluster kind and its name.
 */
export function objectRefusal(
  power: Power,
  key: Omit<ObjectKey, 'version'>,
  scope: 'namespaced' | 'cluster',
): ObjectRefusal | undefined {
  const { namespaces, kinds, clusterKinds } = power;
  const name = describeKey(key);
  if (kinds.length > 0 && !matches(kinds, groupKindString(key))) {
    const message = `${name} is of a kind that this agent does not touch (MUSTER_AGENT_KINDS: ${kinds.join(', ')})`;
    return { type: 'KindDenied', message };
  }
  const limited = namespaces.some((each) => !each.startsWith('!'));
  if (scope === 'cluster') {
    const allowed = clusterKinds.length > 0 ? matches(clusterKinds, groupKindString(key)) : !limited;
    const type = clusterKinds.length > 0 ? 'KindDenied' : 'NamespaceDenied';
    if (!allowed) return { type, message: `${name} belongs to no namespace; ${limitText(power)}` };
  }
  const namespace = scope === 'namespaced' ? key.namespace : isNamespace(key) ? key.name : undefined;
  if (namespace === undefined || namespaces.length === 0 || matches(namespaces, namespace)) return undefined;
  const message = `${name} is outside of the namespaces this agent is limited to (${namespaces.join(', ')})`;
  return { type: 'NamespaceDenied', message };
}

function limitText({ namespaces, clusterKinds }: Power): string {
  if (clusterKinds.length > 0)
    return `of such kinds this agent touches ${clusterKinds.join(', ')} (MUSTER_AGENT_CLUSTER_KINDS)`;
  return `this agent is limited to ${namespaces.join(', ')}`;
}

/** Throws `forbidden` for a destination namespace that the agent does not make. */
export function requireNamespace(power: Power, name: string): void {
  const key = { group: '', kind: 'Namespace', namespace: '', name };
  // Where only namespaces are listed, to make one of them is not to touch another.
  const listed = power.clusterKinds.length > 0 || !matches(power.namespaces, name);
  const refusal = objectRefusal(listed ? power : { ...power, clusterKinds: ['*'] }, key, 'cluster');
  if (refusal) throw new MusterError('forbidden', `${refusal.message}; CreateNamespace=true asks for it`);
}

/** Whether a kind is excluded by name (`!Secret`): then nobody looks at such an object through the agent either. */
export function excludesKind({ kinds }: Power, kind: GroupKind): boolean {
  const name = groupKindString(kind);
  return kinds.some((glob) => glob.startsWith('!') && globMatches(glob.slice(1), name));
}

/** Whether the agent may look into a namespace ('': at what belongs to none). Looking touches nothing: kinds count only where they are excluded. */
export function mayLook({ namespaces, clusterKinds }: Power, namespace: string): boolean {
  if (namespace !== '') return matches(namespaces, namespace);
  return clusterKinds.length > 0 || namespaces.every((each) => each.startsWith('!'));
}

/** Throws `forbidden` for an object that the agent does not touch. */
export function requireObject(
  power: Power,
  key: Omit<ObjectKey, 'version'>,
  scope: 'namespaced' | 'cluster',
): void {
  const refusal = objectRefusal(power, key, scope);
  if (refusal) throw new MusterError('forbidden', refusal.message, { hint: 'limits of the agent’s chart' });
}

/**
 * Why an Application is not served as the account that it is assigned, '' for the agent's own; undefined when it is.
 * The project's part was signed with it: what was altered does not verify, and what was signed wrong is refused here.
 */
export function accountRefusal(
  power: Power,
  account: string,
  project: Pick<ProjectLimits, 'name' | 'serviceAccounts' | 'needsServiceAccount'> | undefined,
): string | undefined {
  if (account === '') {
    if (project?.needsServiceAccount)
      return `project ${project.name} needs a ServiceAccount, and none is assigned`;
    return power.needsServiceAccount ? NEEDS_ACCOUNT : undefined;
  }
  if (!project?.serviceAccounts.includes(account))
    return `project ${project?.name ?? '(none)'} does not allow ServiceAccount ${account}`;
  return actingRefusal(power, account);
}

const NEEDS_ACCOUNT =
  'this agent writes nothing as itself (MUSTER_AGENT_NEEDS_SERVICE_ACCOUNT): the project has to list a ServiceAccount for this destination (destinationServiceAccounts)';

function actingRefusal({ serviceAccounts }: Power, account: string): string | undefined {
  if (serviceAccounts.length === 0 || matches(serviceAccounts, account)) return undefined;
  return `this agent does not act as ServiceAccount ${account} (MUSTER_AGENT_SERVICE_ACCOUNTS: ${serviceAccounts.join(', ')})`;
}

/** Why a request is not sent to the API server, whoever wants it; undefined: it is. */
export function requestRefusal(power: Power, { path, writes, account }: Parameters<RequestRefusal>[0]) {
  if (writes && isObserver(power)) return `this agent changes nothing: a write to ${path} was not sent`;
  if (account) return actingRefusal(power, account);
  return writes && power.needsServiceAccount ? NEEDS_ACCOUNT : undefined;
}

/** Whether a list of globs allows a name: one must match unless all deny, and none that begins with `!`. */
function matches(globs: readonly string[], name: string): boolean {
  if (globs.some((glob) => glob.startsWith('!') && globMatches(glob.slice(1), name))) return false;
  const allows = globs.filter((glob) => !glob.startsWith('!'));
  return allows.length === 0 || allows.some((glob) => globMatches(glob, name));
}

function isNamespace({ group, kind }: GroupKind): boolean {
  return group === '' && kind === 'Namespace';
}
