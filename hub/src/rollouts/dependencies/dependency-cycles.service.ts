import { MusterError } from '@muster/base';
import { DEPENDS_ON_ANNOTATION, dependenciesOf, findCycle } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import type { Db } from '../../store/database.ts';
import type { Trx } from '../../store/schema.ts';
import { DependencyGraph, type GraphNode } from './dependency-graph.repository.ts';

/** A manifest that would be written. */
export interface SupposedApplication {
  manifest: {
    metadata: {
      name: string;
      namespace?: string | null | undefined;
      annotations?: Record<string, string> | null | undefined;
    };
    spec?: { destination?: { name?: string; server?: string } };
  };
  /** `namespace/name` of its set. */
  set: string | null;
}

/** Dependencies that could never be met: what waits for itself by way of others. */
@Injectable()
export class DependencyCycles {
  constructor(@Inject(DependencyGraph) private readonly graph: DependencyGraph) {}

  /**
   * Throws `invalid` where Applications, once written, would wait for themselves, with the cycle spelled out, and where
   * what they wait for cannot be read. Looks only at what can be reached from them; nothing, where they wait for nothing.
   */
  async refuse(db: Db | Trx, applications: readonly SupposedApplication[]): Promise<void> {
    const nodes = applications.map(nodeOf);
    const changed = nodes.filter(({ dependencies }) => dependencies.length > 0);
    if (changed.length === 0) return;
    for (const node of changed) refuseOwnStage(node);
    await this.graph.lock(db);
    const cycle = findCycle(await this.#edges(db, nodes, changed), changed.map(keyOf));
    if (!cycle) return;
    const [first, ...others] = cycle.map((name) => `Application ${name}`);
    throw new MusterError('invalid', `${first} waits for ${others.join(', which waits for ')}`, {
      where: DEPENDS_ON_ANNOTATION,
      hint: 'what waits for itself is never given a release',
    });
  }

  /** From `changed` on, with `supposed` in the place of what there is. */
  async #edges(
    db: Db | Trx,
    supposed: readonly GraphNode[],
    changed: readonly GraphNode[],
  ): Promise<Map<string, string[]>> {
    const known = new Map(supposed.map((node) => [keyOf(node), node]));
    const bySet = Map.groupBy(supposed, ({ set, destination }) => `${set} ${destination}`);
    const edges = new Map<string, string[]>();
    let frontier = [...changed];
    while (frontier.length > 0) {
      const asked: { from: string; namespace: string; name: string; destination: string }[] = [];
      for (const node of frontier) {
        const from = keyOf(node);
        const to: string[] = [];
        edges.set(from, to);
        for (const { kind, namespace, name } of node.dependencies) {
          if (kind === 'application') to.push(`${namespace}/${name}`);
          if (kind !== 'set') continue;
          const { destination } = node;
          to.push(...(bySet.get(`${namespace}/${name} ${destination}`) ?? []).map(keyOf));
          asked.push({ from, namespace, name, destination });
        }
      }
      const found = await this.graph.ofSets(db, asked);
      asked.forEach(({ from }, i) => edges.get(from)!.push(...found[i]!));
      const next = new Set([...frontier].flatMap((node) => edges.get(keyOf(node))!));
      const unseen = [...next].filter((name) => !edges.has(name));
      const stored = await this.graph.nodes(
        db,
        unseen.filter((name) => !known.has(name)),
      );
      frontier = [...stored, ...unseen.flatMap((name) => known.get(name) ?? [])];
    }
    return edges;
  }
}

function nodeOf({ manifest, set }: SupposedApplication): GraphNode {
  const { metadata, spec } = manifest;
  const namespace = metadata.namespace ?? '';
  const { name = '', server = '' } = spec?.destination ?? {};
  const dependencies = read(metadata, namespace);
  return { namespace, name: metadata.name, set, destination: name || server, dependencies };
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

function keyOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}
