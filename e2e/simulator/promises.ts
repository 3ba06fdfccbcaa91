import type { RolledTarget } from './rollout-scenario.ts';
import type { Seen } from './simulated-agent.ts';

export interface Rules {
  /** The bundle that is rolled out. */
  digest: string;
  /** `maxConcurrent` of each stage. */
  slots: readonly number[];
  soakMs: number;
  deadlineMs: number;
}

/**
 * What a rollout did too early or too much, as seen from the clusters. An assignment arrives after the hub gave the slot,
 * and a report leaves before the hub frees it, so what is counted here is never more than what the hub counts.
 */
export function violations(seen: readonly Seen[], targets: readonly RolledTarget[], rules: Rules): string[] {
  const view = new View(targets, rules);
  for (const one of seen) {
    if (one.kind === 'assigned') {
      if (one.held.assignment.bundleDigest === rules.digest)
        view.assigned(`${one.agent} ${one.application}`, one.at);
    } else if (one.kind === 'reported') {
      const { applicationNamespace, applicationName, health, bundleDigest, appliedDigest } = one.status;
      if (bundleDigest === rules.digest && appliedDigest === rules.digest)
        view.reported(`${one.agent} ${applicationNamespace}/${applicationName}`, health, one.at);
    }
  }
  return view.violations;
}

class View {
  readonly violations: string[] = [];
  readonly #rules: Rules;
  readonly #stages: ReadonlyMap<string, number>;
  readonly #given = new Map<string, number>();
  readonly #healthy = new Map<string, number>();
  readonly #degraded = new Set<string>();

  constructor(targets: readonly RolledTarget[], rules: Rules) {
    this.#rules = rules;
    this.#stages = new Map(
      targets.flatMap(({ cluster, application, stage }) =>
        stage === null ? [] : [[`${cluster} ${application}`, stage] as const],
      ),
    );
  }

  assigned(key: string, at: number): void {
    const stage = this.#stages.get(key);
    if (stage === undefined || this.#given.has(key)) return;
    this.#given.set(key, at);
    for (const [other, of] of this.#stages) {
      if (of < stage && !this.#isOver(other, at))
        this.violations.push(`${key} was given it before ${other} of stage ${of} was through`);
    }
    const slots = this.#rules.slots[stage]!;
    const onTheirWay = [...this.#stages].filter(([other, of]) => of === stage && this.#isOnItsWay(other, at));
    if (onTheirWay.length > slots)
      this.violations.push(`${onTheirWay.length} of stage ${stage} were on their way, ${slots} may be`);
  }

  reported(key: string, health: string, at: number): void {
    if (health === 'Degraded') this.#degraded.add(key);
    if (health === 'Healthy' && !this.#healthy.has(key)) this.#healthy.set(key, at);
  }

  #hasFailed(key: string, at: number): boolean {
    return this.#degraded.has(key) || at - (this.#given.get(key) ?? at) >= this.#rules.deadlineMs;
  }

  #isOver(key: string, at: number): boolean {
    const soaked = at - (this.#healthy.get(key) ?? Number.POSITIVE_INFINITY) >= this.#rules.soakMs;
    return soaked || this.#hasFailed(key, at);
  }

  #isOnItsWay(key: string, at: number): boolean {
    return this.#given.has(key) && !this.#healthy.has(key) && !this.#hasFailed(key, at);
  }
}
