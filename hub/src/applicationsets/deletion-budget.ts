/** A removal that an expansion wants. */
export interface Removal {
  id: string;
  clusterId: string | null;
  project: string;
}

/** How many Applications there are and how many left in the last 24 hours, for one set, cluster or project. */
export interface Scope {
  /** In words: `cluster prod-eu-1`. */
  what: string;
  total: number;
  removed: number;
}

export interface BudgetFacts {
  set: Scope;
  clusters: ReadonlyMap<string, Scope>;
  projects: ReadonlyMap<string, Scope>;
}

/** Removals allowed in 24 hours without an approval: 3 or 10 %, whichever is greater. */
export function budgetOf(total: number): number {
  return Math.max(3, Math.floor(total / 10));
}

/** Previews that may go at once: 20 or half of the set, whichever is greater. They draw on no other budget. */
export function heldPreviews(removals: readonly Removal[], total: number): Map<string, string> {
  const budget = Math.max(20, Math.floor(total / 2));
  if (removals.length <= budget) return new Map();
  const reason = `waits for an approval: ${removals.length} previews would be removed at once, more than ${budget}`;
  return new Map(removals.map(({ id }) => [id, reason]));
}

/** A budget that does not suffice for what an expansion removes, or that would be used up to the last Application. */
export interface Overrun {
  kind: 'set' | 'cluster' | 'project';
  /** The id, or the project's name. */
  key: string;
  removals: readonly Removal[];
  reason: string;
  /** Removals that go on so far, but could still be held, draw on it too. */
  exhausted: boolean;
}

/**
 * Which budgets do not suffice. Removing all that a set or a cluster has always waits. Everything that would draw on
 * an exhausted budget waits, also what was let go before and is not gone yet: which of them are wrong is for a person
 * to say.
 */
export function overruns(removals: readonly Removal[], facts: BudgetFacts, set = ''): Overrun[] {
  const found: Overrun[] = [];
  const check = (
    kind: Overrun['kind'],
    key: string,
    scope: Scope | undefined,
    some: readonly Removal[],
  ): void => {
    if (!scope || some.length === 0) return;
    const budget = budgetOf(scope.total + scope.removed);
    const exhausted = scope.removed + some.length > budget;
    const all = kind !== 'project' && some.length >= scope.total;
    if (!all && !exhausted) return;
    const reason = all
      ? `all ${some.length} Applications of ${scope.what} would be removed`
      : `${some.length} removals from ${scope.what}, ${scope.removed} in the last 24 hours before them, more than its budget of ${budget}`;
    found.push({ kind, key, removals: some, reason: `waits for an approval: ${reason}`, exhausted });
  };
  check('set', set, facts.set, removals);
  for (const [id, scope] of facts.clusters)
    check(
      'cluster',
      id,
      scope,
      removals.filter((one) => one.clusterId === id),
    );
  for (const [name, scope] of facts.projects)
    check(
      'project',
      name,
      scope,
      removals.filter((one) => one.project === name),
    );
  return found;
}

/** The facts once other sets' removals have drawn on the same budgets. */
export function drawOn(facts: BudgetFacts, drawn: readonly Removal[]): BudgetFacts {
  const after = (scopes: ReadonlyMap<string, Scope>, keyOf: (one: Removal) => string | null) =>
    new Map(
      [...scopes].map(([key, scope]) => {
        const gone = drawn.filter((one) => keyOf(one) === key).length;
        return [key, { ...scope, total: scope.total - gone, removed: scope.removed + gone }];
      }),
    );
  if (drawn.length === 0) return facts;
  return {
    set: facts.set,
    clusters: after(facts.clusters, (one) => one.clusterId),
    projects: after(facts.projects, (one) => one.project),
  };
}

/** Which removals wait for an approval, and why; the others may go on after their grace. */
export function heldRemovals(found: readonly Overrun[]): Map<string, string> {
  const held = new Map<string, string>();
  for (const { removals, reason } of found)
    for (const { id } of removals) if (!held.has(id)) held.set(id, reason);
  return held;
}
