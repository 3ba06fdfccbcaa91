import { HEALTH_ORDER, type HealthStatus, worse } from '@muster/kube';
import type { StoredResource } from '../status/bounds.ts';
import { CHILD_GROUP, CHILD_KINDS, type ChildName, childKey } from './child.ts';
import type { BadDocument, Child } from './child-documents.ts';

/** A child as its root remembers it. */
export interface OwnedChild extends ChildName {
  appliedHash: string;
  wave: number;
  options: readonly string[];
  leavingAt: Date | null;
  heldReason: string | null;
  detached: boolean;
  gone: boolean;
}

/** An Application, set or project of a child's name, as it is now. */
export interface LiveChild extends ChildName {
  project: string;
  hash: string;
  /** Whose it is, when not this root's: `the root argocd/other`; `nobody`: a person applied it. */
  owner: { mine: true } | { mine: false; what: string; nobody: boolean };
  sync: string;
  health: string;
  message: string;
  /** Work on it is under way: what is known of it is not about its newest specification yet. */
  busy: boolean;
  leaving: boolean;
  held: string | null;
  /** Its removal is signed: nothing can be changed until it is gone. */
  tombstoned: boolean;
}

/** Everything that a run over a root is decided from. */
export interface RootFacts {
  self: ChildName;
  /** The root itself leaves, and takes its children along. */
  removing: boolean;
  children: readonly Child[];
  bad: readonly BadDocument[];
  owned: readonly OwnedChild[];
  live: readonly LiveChild[];
  policy: { automated: boolean; prune: boolean; selfHeal: boolean; options: readonly string[] };
  request: { prune: boolean; dryRun: boolean } | null;
  /** Children that the root may not write, by key, and why. */
  denied: ReadonlyMap<string, { type: string; message: string }>;
}

/** What a run over a root does, and what is shown of it. */
export interface RootPlan {
  /** In order; children of later waves come in a later run. */
  apply: Child[];
  /** As Git says already: the root only has to remember them. */
  own: Child[];
  /** Children whose removal is to be decided now. */
  remove: OwnedChild[];
  /** Why none of `remove` may go without an approval, if so. */
  held: string | null;
  detach: OwnedChild[];
  /** Rows that say nothing any more. */
  forget: OwnedChild[];
  resources: StoredResource[];
  sync: 'Synced' | 'OutOfSync';
  health: HealthStatus;
  healthMessage: string;
  problems: { type: string; message: string }[];
  /** Some child waits for others; empty: nothing does. */
  waits: string;
  /** Nothing is left to apply. */
  complete: boolean;
  busy: boolean;
}

interface Entry {
  child: Child;
  live: LiveChild | undefined;
  owned: OwnedChild | undefined;
  problem: string | undefined;
  differs: boolean;
  /** Will be applied, as soon as its wave is reached. */
  wanted: boolean;
}

/** Decides one run over a root. Pure: what Git says, what there is and the policy in, a plan out. */
export function planRoot(facts: RootFacts): RootPlan {
  const live = new Map(facts.live.map((one) => [childKey(one), one]));
  const owned = new Map(facts.owned.map((one) => [childKey(one), one]));
  const entries = facts.removing ? [] : facts.children.map((child) => entryOf(child, live, owned, facts));
  const self = childKey(facts.self);
  const blockers = entries.filter((one) => childKey(one.child) !== self && isUnready(one));
  const reached = Math.min(...blockers.map((one) => one.child.wave), Number.MAX_SAFE_INTEGER);
  const apply = entries.filter((one) => one.wanted && one.child.wave <= reached).sort(inOrder);
  const waiting = entries.filter((one) => one.wanted && one.child.wave > reached);
  const named = new Set([...(facts.removing ? [] : [...facts.children, ...facts.bad])].map(nameKey));
  const gone = removals(facts, live, named);
  const plan: RootPlan = {
    ...gone,
    apply: apply.map((one) => one.child),
    own: entries.filter(isToRemember).map((one) => one.child),
    resources: [],
    ...judge(entries, facts, self, gone.stale),
    waits: waiting.length === 0 ? '' : waitText(waiting, blockers, reached),
    complete: apply.length + waiting.length === 0,
    busy: facts.live.some((one) => one.busy),
  };
  plan.resources = [
    ...entries.map((one) => resourceOf(one, apply.includes(one), waiting.includes(one) ? plan.waits : '')),
    ...facts.bad.map(badResource),
    ...gone.shown,
  ];
  return plan;
}

function nameKey(one: { kind: string; namespace: string; name: string }): string {
  return childKey(one as ChildName);
}

function entryOf(
  child: Child,
  allLive: ReadonlyMap<string, LiveChild>,
  allOwned: ReadonlyMap<string, OwnedChild>,
  facts: RootFacts,
): Entry {
  const key = childKey(child);
  const live = allLive.get(key);
  const owned = allOwned.get(key);
  const same = live !== undefined && live.hash === child.hash && !live.leaving;
  let problem = facts.denied.get(key)?.message;
  // What is the same already is taken over: that is how fleets applied by hand come under a root.
  if (live && !live.owner.mine && !(live.owner.nobody && live.hash === child.hash))
    problem ??= `it belongs to ${live.owner.what}`;
  if (live?.tombstoned) problem ??= 'its removal is under way; it is made again once it is gone';
  const changed = !owned || owned.appliedHash !== child.hash || owned.leavingAt !== null || owned.gone;
  // What this root let go comes back with Git, whatever the policy says.
  const back = owned !== undefined && owned.leavingAt !== null && !owned.gone;
  const due = back || (facts.request === null ? facts.policy.automated : !facts.request.dryRun);
  const wanted =
    problem === undefined && !same && due && (facts.request !== null || changed || facts.policy.selfHeal);
  return { child, live, owned, problem, differs: !same, wanted };
}

/** Whether later waves wait for it. What cannot be applied holds nobody up: it is shown, and the others go on. */
function isUnready({ live, wanted, problem }: Entry): boolean {
  if (wanted) return true;
  if (!live || problem !== undefined) return false;
  return live.busy || live.sync !== 'Synced' || live.health !== 'Healthy';
}

function isToRemember({ child, live, owned, problem, differs }: Entry): boolean {
  if (problem !== undefined || differs || !live) return false;
  return (
    !owned ||
    owned.appliedHash !== child.hash ||
    owned.detached ||
    owned.gone ||
    owned.leavingAt !== null ||
    owned.wave !== child.wave ||
    owned.options.join() !== child.options.join()
  );
}

function inOrder(a: Entry, b: Entry): number {
  return (
    a.child.wave - b.child.wave ||
    CHILD_KINDS.indexOf(a.child.kind) - CHILD_KINDS.indexOf(b.child.kind) ||
    (childKey(a.child) < childKey(b.child) ? -1 : 1)
  );
}

function waitText(waiting: readonly Entry[], blockers: readonly Entry[], reached: number): string {
  const [first, ...more] = blockers.filter((one) => one.child.wave === reached);
  const state = first!.wanted
    ? 'being applied'
    : first!.live!.busy
      ? 'being worked on'
      : `${first!.live!.sync}, ${first!.live!.health}`;
  const others = more.length > 0 ? ` and ${more.length} more` : '';
  const next = Math.min(...waiting.map((one) => one.child.wave));
  return `wave ${next} waits for ${childKey(first!.child)} (${state})${others}`;
}

type Removals = Pick<RootPlan, 'remove' | 'held' | 'detach' | 'forget'> & {
  shown: StoredResource[];
  /** Children that are no longer in Git and still here, nobody having decided that they go. */
  stale: boolean;
};

function removals(
  facts: RootFacts,
  live: ReadonlyMap<string, LiveChild>,
  named: ReadonlySet<string>,
): Removals {
  const out: Removals = { remove: [], held: null, detach: [], forget: [], shown: [], stale: false };
  const self = childKey(facts.self);
  const standing = facts.owned.filter(
    (one) => !one.detached && !one.gone && childKey(one) !== self && live.has(childKey(one)),
  );
  let leaving = 0;
  for (const one of facts.owned) {
    const key = childKey(one);
    if (named.has(key) || one.gone || one.detached) continue;
    const there = live.get(key);
    if (key === self || !there) out.forget.push(one);
    else if (!there.owner.mine) out.forget.push(one);
    else if (one.leavingAt && !one.heldReason && !there.leaving && one.kind !== 'AppProject') {
      // Somebody took it back.
      out.detach.push(one);
    } else if (one.leavingAt) {
      leaving++;
      // A project goes once nothing belongs to it: asked again each time.
      if (one.kind === 'AppProject' && !one.heldReason) out.remove.push(one);
      const held = one.heldReason ?? there.held;
      out.shown.push(resource(one, there, 'OutOfSync', `leaving${held ? `: ${held}` : ''}`, true));
    } else {
      const kept = keptBecause(one, facts);
      if (kept === undefined) {
        leaving++;
        out.remove.push(one);
        out.shown.push(resource(one, there, 'OutOfSync', 'leaving', true));
      } else if (facts.removing) out.detach.push(one);
      else {
        out.stale = true;
        out.shown.push(resource(one, there, 'OutOfSync', `no longer in Git; ${kept}`, true));
      }
    }
  }
  out.held = heldBecause(facts, leaving, standing.length);
  return out;
}

/** Why a child that is no longer in Git stays; undefined: it goes. */
function keptBecause(child: OwnedChild, { removing, policy, request, bad }: RootFacts): string | undefined {
  const options = [...child.options, ...policy.options];
  if (removing) return options.includes('Delete=false') ? 'Delete=false' : undefined;
  if (options.includes('Prune=false')) return 'Prune=false';
  const prune = request ? request.prune && !request.dryRun : policy.automated && policy.prune;
  if (!prune) return 'pruning is off';
  // The bad one may be this one under a name that is misspelt.
  if (bad.length > 0) return 'kept while a document cannot be read';
  return undefined;
}

function heldBecause(facts: RootFacts, leaving: number, total: number): string | null {
  if (facts.removing) return `waits for an approval: all ${total} children of the root would be removed`;
  if (facts.children.length === 0) return 'waits for an approval: Git holds none of the children any more';
  if (leaving * 2 > total)
    return `waits for an approval: ${leaving} of ${total} children would be removed at once`;
  return null;
}

function judge(entries: readonly Entry[], facts: RootFacts, self: string, stale: boolean) {
  const problems = [
    ...facts.bad.map((one) => ({
      type: 'InvalidChild',
      message: `${nameKey(one)}: ${one.message}`,
    })),
    ...entries.flatMap(({ child, problem }) =>
      problem === undefined
        ? []
        : [
            {
              type: facts.denied.get(childKey(child))?.type ?? 'ChildRefused',
              message: `${childKey(child)}: ${problem}`,
            },
          ],
    ),
  ];
  let health: HealthStatus = 'Healthy';
  let healthMessage = '';
  for (const entry of entries) {
    if (childKey(entry.child) === self || (entry.live && !entry.live.owner.mine && entry.problem)) continue;
    const found = healthOf(entry);
    if (worse(health, found) === health) continue;
    health = found;
    healthMessage = `${childKey(entry.child)} is ${found}${entry.live?.message ? `: ${entry.live.message}` : ''}`;
  }
  const differs = entries.some((one) => one.differs || one.problem !== undefined);
  const sync = differs || stale || facts.bad.length > 0 ? ('OutOfSync' as const) : ('Synced' as const);
  return { problems, health, healthMessage, sync };
}

function healthOf({ live, wanted }: Entry): HealthStatus {
  if (!live) return wanted ? 'Progressing' : 'Missing';
  const health = (HEALTH_ORDER as readonly string[]).includes(live.health)
    ? (live.health as HealthStatus)
    : 'Unknown';
  return health === 'Healthy' && (wanted || live.busy) ? 'Progressing' : health;
}

function resourceOf(entry: Entry, applied: boolean, waits: string): StoredResource {
  const { child, live, differs, problem } = entry;
  const sync = differs && !applied ? 'OutOfSync' : (live?.sync ?? 'Unknown');
  const message = problem ?? (waits || live?.message || '');
  return resource(child, live, sync, message, false, healthOf(entry));
}

function resource(
  { kind, namespace, name }: ChildName,
  live: LiveChild | undefined,
  sync: string,
  message: string,
  requiresPruning: boolean,
  health = live?.health,
): StoredResource {
  return {
    group: CHILD_GROUP,
    version: 'v1alpha1',
    kind,
    namespace,
    name,
    sync,
    ...(health ? { health } : {}),
    ...(message ? { message } : {}),
    ...(requiresPruning ? { requiresPruning: true as const } : {}),
  };
}

function badResource({ kind, namespace, name, message }: BadDocument): StoredResource {
  return { group: CHILD_GROUP, version: 'v1alpha1', kind, namespace, name, sync: 'OutOfSync', message };
}
