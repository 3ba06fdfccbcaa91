import {
  DEPENDS_ON_ANNOTATION,
  type Dependency,
  type RolloutPolicy,
  type StageSpan,
  dependencyText,
  findCycle,
  inNamespace,
  stageSpans,
} from '@muster/rollout';

/** An Application as far as others can wait for it. */
export interface GraphNode {
  namespace: string;
  name: string;
  /** `namespace/name` of its set; null: applied directly. */
  set: string | null;
  /** As written: the name of a cluster, or its server. */
  destination: string;
  labels: Record<string, string>;
  clusterLabels: Record<string, string>;
  /** What its annotation says. */
  dependencies: readonly Dependency[];
}

/** What there is. Each answers what it finds, and leaves out what is not there. */
export interface GraphReads {
  /** Applications by `namespace/name`. */
  nodes(names: readonly string[]): Promise<GraphNode[]>;
  /** All Applications of sets, which are given as `namespace/name`. */
  membersOf(sets: readonly string[]): Promise<GraphNode[]>;
  /** Applications that sets have at destinations; by their place in what was asked. */
  ofSets(asked: readonly AtDestination[]): Promise<Dependency[][]>;
}

interface AtDestination {
  namespace: string;
  name: string;
  destination: string;
}

/** Something that waits for itself. */
export interface Circle {
  /** From one to the next, the first again at the end. */
  text: string;
  /** What says so: annotations and policies. */
  causes: string[];
}

type Policy = Pick<RolloutPolicy, 'name' | 'stages'>;
interface Members {
  all: GraphNode[];
  spans: Map<string, StageSpan>;
}

/**
 * What waits for what, as far as it can be reached from some of it: Applications by their annotation and by the policy of their
 * set, stages by their policy, by the stage before and by the Applications that are in them. `supposed` takes the place of what
 * there is. A search is for one use: what it has read it does not read again.
 */
export class CircleSearch {
  readonly #edges = new Map<string, string[]>();
  readonly #causes = new Map<string, string>();
  readonly #nodes = new Map<string, GraphNode>();
  readonly #members = new Map<string, Members>();
  #found: Dependency[] = [];

  constructor(
    private readonly reads: GraphReads,
    private readonly supposed: readonly GraphNode[],
    /** By `namespace/name` of a set: the policy that its releases go by. */
    private readonly policies: ReadonlyMap<string, Policy>,
  ) {
    for (const node of supposed) this.#nodes.set(keyOf(node), node);
  }

  /** A circle that can be reached from some of it; undefined: there is none. */
  async from(roots: readonly Dependency[]): Promise<Circle | undefined> {
    let level = [...roots];
    while (level.length > 0) {
      const unseen = new Map(level.map((one) => [dependencyText(one), one]));
      for (const key of unseen.keys()) if (this.#edges.has(key)) unseen.delete(key);
      this.#found = [];
      await this.#expand(unseen);
      level = this.#found;
    }
    const cycle = findCycle(this.#edges, roots.map(dependencyText));
    if (!cycle) return undefined;
    const causes = cycle.slice(1).flatMap((to, i) => this.#causes.get(`${cycle[i]}\n${to}`) ?? []);
    const [first, ...others] = cycle;
    return {
      text: `${first} waits for ${others.join(', which waits for ')}`,
      causes: [...new Set(causes)],
    };
  }

  async #expand(level: ReadonlyMap<string, Dependency>): Promise<void> {
    const names = [...level.values()].flatMap((one) => (one.kind === 'application' ? [keyOf(one)] : []));
    const unknown = names.filter((name) => !this.#nodes.has(name));
    for (const node of await this.reads.nodes(unknown)) this.#nodes.set(keyOf(node), node);
    const owners = names.flatMap((name) => this.#nodes.get(name)?.set ?? []);
    const stages = [...level.values()].flatMap((one) => (one.kind === 'stage' ? [keyOf(one)] : []));
    await this.#learn([...owners.filter((set) => this.policies.has(set)), ...stages]);
    const asked: (AtDestination & { from: string; cause: string })[] = [];
    for (const [from, one] of level) {
      this.#edges.set(from, []);
      if (one.kind === 'application') {
        for (const { dependency, cause } of this.#waitsOf(this.#nodes.get(keyOf(one)))) {
          if (dependency.kind !== 'set') this.#link(from, dependency, cause);
          else asked.push({ ...this.#there(from, one, dependency, cause), from, cause });
        }
      } else this.#stage(from, one);
    }
    const found = await this.reads.ofSets(asked);
    asked.forEach(({ from, cause }, i) => {
      for (const one of found[i]!) this.#link(from, one, cause);
    });
  }

  /** What an Application waits for, and what says so. */
  #waitsOf(node: GraphNode | undefined): { dependency: Dependency; cause: string }[] {
    if (!node) return [];
    const own = `${DEPENDS_ON_ANNOTATION} of Application ${keyOf(node)}`;
    const waits = node.dependencies.map((dependency) => ({ dependency, cause: own }));
    const policy = node.set === null ? undefined : this.policies.get(node.set);
    const span = policy && this.#members.get(node.set!)?.spans.get(keyOf(node));
    if (!span) return waits;
    return [...waits, ...stageWaits(node.set!, policy, span.earliest)];
  }

  /** Those of the Applications that a set would have where another one is. */
  #there(from: string, at: Dependency, set: Dependency, cause: string): AtDestination {
    const { destination } = this.#nodes.get(keyOf(at))!;
    for (const one of this.supposed)
      if (one.set === keyOf(set) && one.destination === destination)
        this.#link(from, { kind: 'application', namespace: one.namespace, name: one.name }, cause);
    return { namespace: set.namespace, name: set.name, destination };
  }

  /** A stage of a set, or what waits for all of a set in its own cluster: it waits at least for what the first stage waits for. */
  #stage(from: string, one: Extract<Dependency, { kind: 'stage' | 'set' }>): void {
    const set = keyOf(one);
    const policy = this.policies.get(set);
    const index =
      policy && one.kind === 'stage' ? policy.stages.findIndex(({ name }) => name === one.stage) : 0;
    if (index < 0) return;
    if (policy)
      for (const { dependency, cause } of stageWaits(set, policy, index)) this.#link(from, dependency, cause);
    if (one.kind === 'set') return;
    // Without a policy nothing says which stage that is: all of the set has to be healthy.
    const { all, spans } = this.#members.get(set)!;
    for (const node of all) {
      if (policy && spans.get(keyOf(node))?.latest !== index) continue;
      const { namespace, name } = node;
      if (
        this.#waitsOf(node).some(
          ({ cause, dependency }) => cause.startsWith(DEPENDS_ON_ANNOTATION) || dependency.kind === 'set',
        )
      )
        this.#link(from, { kind: 'application', namespace, name }, '');
    }
  }

  #link(from: string, to: Dependency, cause: string): void {
    const key = dependencyText(to);
    this.#edges.get(from)!.push(key);
    if (cause) this.#causes.set(`${from}\n${key}`, cause);
    this.#found.push(to);
  }

  /** Which Applications sets have, and in which stages they are. */
  async #learn(sets: readonly string[]): Promise<void> {
    const unknown = [...new Set(sets)].filter((set) => !this.#members.has(set));
    if (unknown.length === 0) return;
    const stored = Map.groupBy(await this.reads.membersOf(unknown), ({ set }) => set!);
    const supposed = Map.groupBy(this.supposed, ({ set }) => set ?? '');
    for (const set of unknown) {
      const own = supposed.get(set) ?? [];
      const names = new Set(own.map(keyOf));
      const all = [...own, ...(stored.get(set) ?? []).filter((node) => !names.has(keyOf(node)))];
      for (const node of all) this.#nodes.set(keyOf(node), node);
      const targets = all.map((node) => ({
        id: keyOf(node),
        cluster: node.destination,
        clusterLabels: node.clusterLabels,
        applicationLabels: node.labels,
      }));
      this.#members.set(set, { all, spans: stageSpans(this.policies.get(set)?.stages ?? [], targets) });
    }
  }
}

/** What targets of a stage wait for by its policy, the stage before it included. */
function stageWaits(set: string, policy: Policy, index: number): { dependency: Dependency; cause: string }[] {
  const [namespace, name] = set.split('/') as [string, string];
  const waits = inNamespace(policy.stages[index]!.dependsOn, namespace).map((dependency) => ({
    dependency,
    cause: `dependsOn of RolloutPolicy ${policy.name}`,
  }));
  const before = policy.stages[index - 1];
  if (!before) return waits;
  const cause = `the order of the stages of ApplicationSet ${set}`;
  return [{ dependency: { kind: 'stage', namespace, name, stage: before.name }, cause }, ...waits];
}

export function keyOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}
