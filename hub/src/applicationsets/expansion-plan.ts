/** A generated Application. */
export interface Generated<Manifest> {
  namespace: string;
  name: string;
  project: string;
  hash: string;
  manifest: Manifest;
}

/** An Application that is there. */
export interface Existing {
  id: string;
  namespace: string;
  name: string;
  hash: string;
  /** Whose it is: this set's, or who else's in words. */
  owner: { mine: true } | { mine: false; what: string; restoredFromThis: boolean };
  leaving: boolean;
  tombstoned: boolean;
}

export interface ExpansionPlan<Manifest> {
  /** To be made, changed, or taken back in from leaving with another specification. */
  write: Generated<Manifest>[];
  /** Leaving Applications that are wanted again as they are. */
  stay: string[];
  /** No longer generated. */
  leave: string[];
  /** Why some are left alone, in words. */
  problems: string[];
}

export type ApplicationsSync = 'create-only' | 'create-update' | 'create-delete' | 'sync';

/**
 * What an expansion changes. Equal hashes are not written. A name that someone else holds, a name twice, another
 * project than the set's, and what validation refused are left as they are: neither written nor deleted.
 */
export function planExpansion<Manifest>(
  generated: readonly Generated<Manifest>[],
  existing: readonly Existing[],
  rules: {
    set: string;
    project: string;
    policy: ApplicationsSync;
    refused: Readonly<Record<string, string>>;
  },
): ExpansionPlan<Manifest> {
  const plan: ExpansionPlan<Manifest> = { write: [], stay: [], leave: [], problems: [] };
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
  if (rules.policy === 'sync' || rules.policy === 'create-delete') {
    plan.leave = existing
      .filter((one) => one.owner.mine && !one.leaving && !one.tombstoned && !wanted.has(keyOf(one)))
      .map((one) => one.id);
  }
  plan.problems = [...new Set(plan.problems)];
  return plan;
}

function problemOf<Manifest>(
  one: Generated<Manifest>,
  there: Existing | undefined,
  rules: { set: string; project: string },
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

function keyOf(of: { namespace: string; name: string }): string {
  return `${of.namespace}/${of.name}`;
}
