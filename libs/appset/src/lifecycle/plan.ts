/** An Application as an expansion wants it. */
export interface WantedApplication<Manifest> {
  namespace: string;
  name: string;
  project: string;
  hash: string;
  manifest: Manifest;
}

/** An Application that is there. */
export interface ExistingApplication {
  id: string;
  namespace: string;
  name: string;
  hash: string;
  /** Whose it is: this set's, or who else's in words. */
  owner: { mine: true } | { mine: false; what: string; restoredFromThis: boolean };
  leaving: boolean;
  tombstoned: boolean;
}

export interface ApplicationsPlan<Manifest> {
  /** To be made, changed, or taken back in from leaving with another specification. */
  write: WantedApplication<Manifest>[];
  /** Leaving Applications that are wanted again as they are. */
  stay: string[];
  /** No longer generated. */
  leave: string[];
  /** Of a set that is being deleted and whose policy deletes nothing: they stay and belong to no set. */
  detach: string[];
  /** Why some are left alone, in words. */
  problems: string[];
}

export type ApplicationsSync = 'create-only' | 'create-update' | 'create-delete' | 'sync';

/** Reconciles Applications with what an expansion wants, by the rules of `syncPolicy.applicationsSync`. */
export interface PlanRules {
  /** `namespace/name` */
  set: string;
  /** Whose Applications the set may make; empty: any. */
  project: string;
  policy: ApplicationsSync;
  /** The set is being deleted: nothing is generated. */
  deleting?: boolean;
  /** By `namespace/name`: what validation refused. */
  refused: Readonly<Record<string, string>>;
}

/**
 * What an expansion changes. Equal hashes are not written. A name that someone else holds, a name twice, another
 * project than the set's, and what validation refused are left as they are: neither written nor deleted.
 */
export function planApplications<Manifest>(
  generated: readonly WantedApplication<Manifest>[],
  existing: readonly ExistingApplication[],
  rules: PlanRules,
): ApplicationsPlan<Manifest> {
  const plan: ApplicationsPlan<Manifest> = { write: [], stay: [], leave: [], detach: [], problems: [] };
  const held = new Map(existing.map((one) => [keyOf(one), one]));
  const wanted = new Set<string>();
  for (const one of generated) {
    const key = keyOf(one);
    const there = held.get(key);
    wanted.add(key);
    const problem = rules.refused[key] ?? problemOf(one, there, rules);
    if (problem) {
      plan.problems.push(`${key}: ${problem}`);
    } else if (!there || (there.owner.mine === false && there.owner.restoredFromThis)) {
      plan.write.push(one);
    } else if (there.tombstoned) {
      plan.problems.push(`${key}: its removal is being carried out; it is made again once that is finished`);
    } else if (there.hash !== one.hash && mayUpdate(rules.policy)) {
      plan.write.push(one);
    } else if (there.leaving) {
      plan.stay.push(there.id);
    }
  }
  for (const key of Object.keys(rules.refused)) wanted.add(key);
  const gone = existing.filter(
    (one) => one.owner.mine && !one.leaving && !one.tombstoned && !wanted.has(keyOf(one)),
  );
  const ids = gone.map((one) => one.id);
  if (mayDelete(rules.policy)) plan.leave = ids;
  else if (rules.deleting) plan.detach = ids;
  plan.problems = [...new Set(plan.problems)];
  return plan;
}

function problemOf<Manifest>(
  one: WantedApplication<Manifest>,
  there: ExistingApplication | undefined,
  rules: PlanRules,
): string | undefined {
  if (there && !there.owner.mine && !there.owner.restoredFromThis) {
    return `ApplicationSet ${rules.set} generates an Application that exists already, made by ${there.owner.what}`;
  }
  if (rules.project !== '' && one.project !== rules.project) {
    return `generated for project ${one.project}, but the set belongs to project ${rules.project}`;
  }
  return undefined;
}

function mayUpdate(policy: ApplicationsSync): boolean {
  return policy === 'sync' || policy === 'create-update';
}

/** Whether a set's policy takes away what it does not generate any more. */
export function mayDelete(policy: ApplicationsSync): boolean {
  return policy === 'sync' || policy === 'create-delete';
}

function keyOf(of: { namespace: string; name: string }): string {
  return `${of.namespace}/${of.name}`;
}
