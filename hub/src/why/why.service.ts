import type { AskWhy, WhyLink, WhyView } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { ApplicationRecords } from '../applications/application-records.service.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { type Owner, ownerKey } from '../releases/owner.ts';
import { nameOfTarget } from '../rollouts/dependencies/circle-words.ts';
import { DependencyCycles } from '../rollouts/dependencies/dependency-cycles.service.ts';
import { type OpenRollouts, OpenRolloutsReads } from '../rollouts/open-rollouts.service.ts';
import { chainOf, headlineOf } from './chain.ts';
import { factsOf } from './facts-of.ts';
import { expansionLinks, problemLinks } from './intent-links.ts';
import { blockerLink, circleLink } from './rollout-links.ts';
import { type TargetChain, targetsView } from './set-view.ts';
import type { WhyFacts } from './why-facts.ts';
import { type WhyRow, type WhySet, WhyRepository } from './why.repository.ts';

/** Targets that are looked at in one answer, and in one statement. */
const MAX_TARGETS = 20_000;
const PAGE = 2_500;
/** Said of a whole set, not of each of its targets. */
const OF_THE_SET: ReadonlySet<WhyLink['kind']> = new Set<WhyLink['kind']>(['expansion', 'policy', 'work']);

type Around = Pick<WhyFacts, 'work' | 'recovery'> & { rollouts: OpenRollouts };

/** Says what blocks a target, or the targets of an ApplicationSet. */
@Injectable()
export class WhyService {
  constructor(
    @Inject(WhyRepository) private readonly repository: WhyRepository,
    @Inject(OpenRolloutsReads) private readonly rollouts: OpenRolloutsReads,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(RecoveryService) private readonly recovery: RecoveryService,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(DependencyCycles) private readonly cycles: DependencyCycles,
  ) {}

  /** Throws `not-found`, also for what the actor may not see, and where it is not in the cluster that is asked about. */
  async why(actor: Actor, namespace: string, name: string, { cluster }: AskWhy): Promise<WhyView> {
    const projects = this.access.visibleProjects(actor, 'viewer');
    const one = { namespace, name };
    const [row] = await this.repository.targets({ projects, one, limit: 1 });
    if (row) return this.#application(inCluster(row, cluster));
    const set = await this.repository.set(namespace, name);
    if (!set || !this.access.allows(actor, 'viewer', set.project || '*'))
      throw new MusterError('not-found', `there is no Application or ApplicationSet ${namespace}/${name}`, {
        hint: 'muster app list, muster appset list',
      });
    if (cluster === undefined) return this.#set(set, projects);
    const there = await this.repository.targets({ projects, setId: set.id, cluster, limit: PAGE });
    if (there.length === 1) return this.#application(there[0]!);
    if (there.length === 0)
      throw new MusterError(
        'not-found',
        `ApplicationSet ${namespace}/${name} has no Application in cluster ${cluster}`,
        { hint: `muster app list --set ${namespace}/${name}` },
      );
    return this.#set(set, projects, cluster);
  }

  async #application(row: WhyRow): Promise<WhyView> {
    const { namespace, name, project } = row;
    const facts = (await this.#facts([row], await this.#around(ownerOfRow(row))))[0]!;
    const chain = chainOf(facts, Date.now());
    const links = [...(await this.#circle(chain.some(isWait) ? [row] : [])), ...chain];
    return {
      kind: 'application',
      of: `${namespace}/${name}`,
      project,
      ...(row.cluster_name ? { cluster: row.cluster_name } : {}),
      ...(row.set_name ? { set: row.set_name } : {}),
      blocked: links.length > 0,
      headline: headlineOf(facts, links),
      links,
    };
  }

  async #set(set: WhySet, projects: '*' | string[], cluster?: string): Promise<WhyView> {
    const of = `${set.namespace}/${set.name}`;
    const around = await this.#around({ kind: 'set', id: set.id });
    const { chains, more } = await this.#chains(set.id, projects, around, cluster);
    const { going } = around.rollouts;
    const waits = (going?.explanation.waitingFor ?? []).map((blocker) =>
      blockerLink({ ...blocker, label: going!.label }, of, set.project),
    );
    const problem = set.problem === null ? null : { message: set.problem, since: set.problem_since! };
    const targets = targetsView(chains, more);
    const examples = targets.groups
      .filter(isWait)
      .flatMap((group) => group.examples.slice(0, 1).map(nameOfTarget));
    const links = [
      ...expansionLinks(of, set.conditions),
      ...problemLinks(problem, of),
      ...(await this.#circle(examples)),
      ...waits,
    ];
    const first = links[0]?.text ?? targets.groups[0]?.text;
    return {
      kind: 'set',
      of,
      project: set.project,
      ...(cluster === undefined ? {} : { cluster }),
      blocked: links.length > 0 || targets.blocked > 0,
      headline: headlineOfSet(targets, first),
      links,
      targets,
    };
  }

  /** Whether what these wait for waits for itself, as policies and annotations are now. */
  async #circle(waiting: readonly { namespace: string; name: string }[]): Promise<WhyLink[]> {
    if (waiting.length === 0) return [];
    const circle = await this.cycles.circle(waiting);
    return circle ? [circleLink(circle)] : [];
  }

  /** The chains of all targets of a set, page by page. */
  async #chains(
    setId: string,
    projects: '*' | string[],
    around: Around,
    cluster: string | undefined,
  ): Promise<{ chains: TargetChain[]; more: boolean }> {
    const chains: TargetChain[] = [];
    const now = Date.now();
    let after: WhyRow | undefined;
    for (;;) {
      const page = await this.repository.targets({ projects, setId, cluster, after, limit: PAGE });
      for (const facts of await this.#facts(page, around)) {
        const links = chainOf({ ...facts, setConditions: [], problem: null, work: [] }, now);
        const at = facts.cluster ? `@${facts.cluster.name}` : '';
        chains.push({
          id: `${facts.namespace}/${facts.name}${at}`,
          links: links.filter(({ kind }) => !OF_THE_SET.has(kind)),
        });
      }
      after = page.at(-1);
      if (page.length < PAGE) return { chains, more: false };
      if (chains.length >= MAX_TARGETS) return { chains, more: true };
    }
  }

  async #around(owner: Owner): Promise<Around> {
    const [rollouts, work, condition] = await Promise.all([
      this.rollouts.of(owner.id),
      this.repository.work(ownerKey(owner)),
      this.recovery.state(),
    ]);
    const { recovering, since, reason } = condition;
    return { rollouts, work, recovery: recovering ? { since: since!, reason: reason ?? '' } : null };
  }

  async #facts(rows: readonly WhyRow[], around: Around): Promise<WhyFacts[]> {
    const broken = await this.repository.brokenSources(rows.map(({ id }) => id));
    const sources = Map.groupBy(broken, ({ applicationId }) => applicationId);
    return rows.map((row) =>
      factsOf(row, {
        ...around,
        sources: (sources.get(row.id) ?? []).map(({ url, revision, error }) => ({ url, revision, error })),
        manifest: () => this.records.openManifest({ ...row, manifest_sealed: row.manifest_sealed! }),
      }),
    );
  }
}

function ownerOfRow(row: WhyRow): Owner {
  return row.set_id ? { kind: 'set', id: row.set_id } : { kind: 'application', id: row.id };
}

function inCluster(row: WhyRow, cluster: string | undefined): WhyRow {
  if (cluster === undefined || row.cluster_name === cluster) return row;
  const where = row.cluster_name ? `it is in ${row.cluster_name}` : 'it is in no cluster';
  throw new MusterError('not-found', `${row.namespace}/${row.name} is not in cluster ${cluster}: ${where}`);
}

function isWait({ kind }: { kind: WhyLink['kind'] }): boolean {
  return kind === 'dependency';
}

function headlineOfSet(
  { total, blocked }: { total: number; blocked: number },
  first: string | undefined,
): string {
  if (first !== undefined) return `${blocked} of ${total} are blocked: ${first}`;
  return total === 0 ? 'nothing: it has no Applications' : `nothing: all ${total} are synced and healthy`;
}
