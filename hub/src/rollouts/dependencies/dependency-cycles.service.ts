import { MusterError } from '@muster/base';
import { DEPENDS_ON_ANNOTATION, type Dependency, type RolloutPolicy, dependenciesOf } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { SetManifests } from '../../applicationsets/set-manifests.ts';
import type { Db } from '../../store/database.ts';
import type { Labels, Trx } from '../../store/schema.ts';
import { PoliciesRepository } from '../policies.repository.ts';
import { policyOf } from '../policy-of.ts';
import { type Circle, CircleSearch, type GraphNode, keyOf } from './circle-search.ts';
import { DependencyGraph } from './dependency-graph.repository.ts';

/** A manifest that would be written. */
export interface SupposedApplication {
  manifest: {
    metadata: {
      name: string;
      namespace?: string | null | undefined;
      annotations?: Record<string, string> | null | undefined;
      labels?: Record<string, string> | null | undefined;
    };
    spec?: { destination?: { name?: string; server?: string } };
  };
  /** `namespace/name` of its set. */
  set: string | null;
}

/** What was written besides: names of RolloutPolicies, and sets as `namespace/name`. */
export interface ChangedOrder {
  policies: ReadonlySet<string>;
  sets: ReadonlySet<string>;
}

const NOTHING: ChangedOrder = { policies: new Set(), sets: new Set() };

/** Dependencies that could never be met: what waits for itself by way of others. */
@Injectable()
export class DependencyCycles {
  constructor(
    @Inject(DependencyGraph) private readonly graph: DependencyGraph,
    @Inject(PoliciesRepository) private readonly policies: PoliciesRepository,
    @Inject(SetManifests) private readonly sets: SetManifests,
  ) {}

  /**
   * Throws `invalid` where Applications, once written, or stages would wait for themselves, with the circle spelled out, and
   * where what they wait for cannot be read. Looks only at what can be reached from what changed.
   */
  async refuse(
    db: Db | Trx,
    applications: readonly SupposedApplication[],
    { policies, sets }: ChangedOrder = NOTHING,
  ): Promise<void> {
    const nodes = applications.map(nodeOf);
    for (const node of nodes) refuseOwnStage(node);
    const stored = await this.policies.all(db);
    const annotated = nodes.filter(({ dependencies }) => dependencies.length > 0);
    const anyPolicy = stored.some(says);
    const ordered = policies.size + sets.size > 0;
    if (annotated.length === 0 && !anyPolicy && !(ordered && (await this.graph.any(db)))) return;
    const staged = await this.#staged(db, stored);
    const roots = nodes
      .filter((node) => node.dependencies.length > 0 || waitsByPolicy(staged.get(node.set ?? '')))
      .map(({ namespace, name }): Dependency => ({ kind: 'application', namespace, name }));
    for (const [set, policy] of [...staged].reverse())
      if (sets.has(set) || policies.has(policy.name)) roots.unshift(...stagesOf(set, policy));
    if (roots.length === 0) return;
    await this.graph.lock(db);
    const search = new CircleSearch(this.graph.in(db), await this.#placed(db, nodes), staged);
    const circle = await search.from(roots);
    if (!circle) return;
    throw new MusterError('invalid', circle.text, {
      where: circle.causes.some((cause) => cause.startsWith(DEPENDS_ON_ANNOTATION))
        ? DEPENDS_ON_ANNOTATION
        : 'dependsOn',
      hint: `what waits for itself is never given a release; take one away: ${circle.causes.slice(0, 10).join(', ')}`,
    });
  }

  /** What waits for itself among some Applications and what they wait for, as everything is written now. */
  async circle(applications: readonly { namespace: string; name: string }[]): Promise<Circle | undefined> {
    const { db } = this.graph;
    const staged = await this.#staged(db, await this.policies.all(db));
    const search = new CircleSearch(this.graph.in(db), [], staged);
    return search.from(applications.map(({ namespace, name }) => ({ kind: 'application', namespace, name })));
  }

  /** Sets of which a policy says that they wait, as `namespace/name`. */
  async waitingByPolicy(db: Db | Trx): Promise<Set<string>> {
    const stored = await this.policies.all(db);
    if (!stored.some(says)) return new Set();
    const staged = await this.#staged(db, stored);
    return new Set([...staged].flatMap(([set, policy]) => (waitsByPolicy(policy) ? [set] : [])));
  }

  /** The policies of sets, as they are written now. */
  async #staged(
    db: Db | Trx,
    stored: readonly { name: string; manifest: Record<string, unknown> }[],
  ): Promise<Map<string, RolloutPolicy>> {
    const rows = await this.policies.sets(db);
    return new Map(
      rows.flatMap((row): [string, RolloutPolicy][] => {
        const { metadata, spec } = this.sets.open(row);
        const facts = { annotations: metadata.annotations ?? {}, labels: metadata.labels ?? {} };
        const choice = policyOf('set', { ...facts, strategy: spec.strategy }, stored);
        return choice.kind === 'policy' ? [[keyOf(row), choice.policy]] : [];
      }),
    );
  }

  /** With the labels of the clusters that they are destined for. */
  async #placed(db: Db | Trx, nodes: readonly GraphNode[]): Promise<GraphNode[]> {
    const labels: Map<string, Labels> = await this.graph.clusterLabels(
      db,
      nodes.map(({ destination }) => destination),
    );
    return nodes.map((node) => ({ ...node, clusterLabels: labels.get(node.destination) ?? {} }));
  }
}

function says({ manifest }: { manifest: Record<string, unknown> }): boolean {
  return JSON.stringify(manifest).includes('"dependsOn"');
}

function waitsByPolicy(policy: RolloutPolicy | undefined): boolean {
  return policy?.stages.some(({ dependsOn }) => dependsOn.length > 0) ?? false;
}

function stagesOf(set: string, policy: RolloutPolicy): Dependency[] {
  const [namespace, name] = set.split('/') as [string, string];
  return policy.stages.map((stage) => ({ kind: 'stage', namespace, name, stage: stage.name }));
}

function nodeOf({ manifest, set }: SupposedApplication): GraphNode {
  const { metadata, spec } = manifest;
  const namespace = metadata.namespace ?? '';
  const { name = '', server = '' } = spec?.destination ?? {};
  const dependencies = read(metadata, namespace);
  return {
    namespace,
    name: metadata.name,
    set,
    destination: name || server,
    labels: metadata.labels ?? {},
    clusterLabels: {},
    dependencies,
  };
}

function read(metadata: SupposedApplication['manifest']['metadata'], namespace: string) {
  try {
    return dependenciesOf(metadata, namespace);
  } catch (thrown) {
    const error = MusterError.from(thrown);
    throw new MusterError(error.code, `Application ${namespace}/${metadata.name}: ${error.message}`, {
      where: DEPENDS_ON_ANNOTATION,
      cause: thrown,
    });
  }
}

/** Its stage cannot pass without it. */
function refuseOwnStage(node: GraphNode): void {
  const own = node.dependencies.find(
    ({ kind, namespace, name }) => kind === 'stage' && `${namespace}/${name}` === node.set,
  );
  if (own)
    throw new MusterError(
      'invalid',
      `Application ${keyOf(node)} waits for a stage of its own ApplicationSet`,
      {
        where: DEPENDS_ON_ANNOTATION,
      },
    );
}
