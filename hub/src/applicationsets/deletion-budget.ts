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

/**
 * Which removals wait for an approval, and why; the others may go on after their grace. Removing all that a set or a
 * cluster has always waits. When a budget does not suffice, everything that would draw on it waits: which of them
 * are wrong is for a person to say.
 */
export function heldRemovals(removals: readonly Removal[], facts: BudgetFacts): Map<string, string> {
  const held = new Map<string, string>();
  const hold = (some: readonly Removal[], scope: Scope | undefined, allIsHeld: boolean) => {
    if (!scope || some.length === 0) return;
    const budget = budgetOf(scope.total + scope.removed);
    const reason =
      allIsHeld && some.length >= scope.total
        ? `all ${some.length} Applications of ${scope.what} would be removed`
        : scope.removed + some.length > budget
          ? `${some.length} removals from ${scope.what}, ${scope.removed} in the last 24 hours before them, more than its budget of ${budget}`
          : undefined;
    if (reason)
      for (const removal of some)
        if (!held.has(removal.id)) held.set(removal.id, `waits for an approval: ${reason}`);
  };
  hold(removals, facts.set, true);
  for (const [id, scope] of facts.clusters)
    hold(
      removals.filter((one) => one.clusterId === id),
      scope,
      true,
    );
  for (const [name, scope] of facts.projects)
    hold(
      removals.filter((one) => one.project === name),
      scope,
      false,
    );
  return held;
}
