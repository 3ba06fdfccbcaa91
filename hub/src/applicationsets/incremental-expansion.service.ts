import { type ApplicationSet, type Expansion, isSeparable, ofClustersOnly } from '@muster/appset';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ApplicationRecords } from '../applications/application-records.service.ts';
import { type ClusterFacts, ClustersService } from '../clusters/clusters.service.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import type { JobContext } from '../queue/jobs.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationSetsRepository, type SetRow } from './applicationsets.repository.ts';
import { type Decision, DependencyProblem, ExpansionResults } from './expansion-results.service.ts';
import {
  type KnownExpansion,
  advance,
  byOrigin,
  isUndisturbed,
  knownOf,
  touchedNames,
} from './known-expansion.ts';
import { SetGeneration } from './set-generation.service.ts';

/** Applications whose names and hashes a replica keeps, over all sets; some 400 bytes each. */
const KNOWN_APPLICATIONS = 200_000;
/** A set is expanded whole at least this often, where it is expanded at all. */
const KNOWN_MS = 3600_000;
/** More changed clusters than this are a whole expansion's work. */
const CHANGED_CLUSTERS = 2000;

/** Where a whole expansion began. */
export interface Beginning {
  inputs: string;
  registryAt: string;
}

/**
 * Expands the changed clusters of a set only, where the last expansion of this replica says what the others make and
 * the tables confirm it. Whatever is not certain is left to a whole expansion: a replica that knows nothing does those.
 */
@Injectable()
export class IncrementalExpansion {
  readonly #known = new LRUCache<string, KnownExpansion>({
    maxSize: KNOWN_APPLICATIONS,
    sizeCalculation: ({ wanted, leftovers }) => wanted.size + leftovers.size + 1,
    ttl: KNOWN_MS,
  });

  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(SetGeneration) private readonly generation: SetGeneration,
    @Inject(ExpansionResults) private readonly results: ExpansionResults,
    @Inject(ClustersService) private readonly clusters: ClustersService,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
  ) {}

  /** False: nothing was written, and the set is to be expanded whole. */
  async expand(row: SetRow, set: ApplicationSet, context: JobContext): Promise<boolean> {
    const known = this.#known.get(row.id);
    // Whoever has it may change it: two runs at once cannot both.
    this.#known.delete(row.id);
    if (!known || row.deleting_at || known.inputs !== (await this.#inputs(row))) return false;
    const { at, changed } = await this.clusters.changedSince(known.registryAt, CHANGED_CLUSTERS + 1);
    if (changed.length > CHANGED_CLUSTERS) return false;
    const clusters = changed.flatMap(({ cluster }) => cluster ?? []);
    const expansion = await this.#generate(row, set, clusters, context);
    if (!expansion || known.inputs !== (await this.#inputs(row))) return false;
    const ids = changed.map(({ id }) => id);
    const next = await this.repository.db.transaction().execute(async (trx) => {
      const held = await this.repository.lock(trx, row.id);
      if (held?.version !== row.version || held.deleting_at) return undefined;
      const found = await this.#carryOut(trx, held, set, { known, ids, clusters, expansion, registryAt: at });
      if (found) await context.complete(trx);
      return found;
    });
    const after = next?.();
    if (after) this.#known.set(row.id, after);
    return next !== undefined;
  }

  /** To be called before a whole expansion reads anything; undefined where none of it could be used later. */
  async begin(row: SetRow, set: ApplicationSet): Promise<Beginning | undefined> {
    if (row.deleting_at || !isSeparable(set)) return undefined;
    return { registryAt: await this.clusters.position(), inputs: await this.#inputs(row) };
  }

  /** To be called once a whole expansion was generated: whether all of it was generated from the same. */
  async isSteady(row: SetRow, beginning: Beginning): Promise<boolean> {
    return beginning.inputs === (await this.#inputs(row));
  }

  /** Keeps what a whole expansion came to, once it is committed. */
  learn(
    row: SetRow,
    expansion: Expansion,
    decision: Decision,
    clusters: readonly ClusterFacts[],
    at: Beginning & { applicationsAt: string; own: string },
  ): void {
    const known = knownOf(expansion, decision, clusters, at);
    if (known) this.#known.set(row.id, known);
  }

  /** What an expansion depends on besides the registry and the set's Applications. */
  async #inputs({ id, version, manifest_hash: hash }: SetRow): Promise<string> {
    const [projects, revisions] = await Promise.all([this.projects.names(), this.repository.revisions(id)]);
    return JSON.stringify([String(version), hash, [...projects].sort(), revisions]);
  }

  /** Undefined: something fails, which is for a whole expansion to say. */
  async #generate(
    row: SetRow,
    set: ApplicationSet,
    clusters: ClusterFacts[],
    { signal }: JobContext,
  ): Promise<Expansion | undefined> {
    if (clusters.length === 0) return { applications: [], validationErrors: {}, origins: [] };
    try {
      const input = { set: ofClustersOnly(set), project: row.project, clusters };
      const expansion = await this.generation.generate(input, signal);
      return Object.keys(expansion.validationErrors).length > 0 ? undefined : expansion;
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  /** Undefined: something would wait for itself, which is for a whole expansion to say. */
  async #decide(
    trx: Trx,
    row: SetRow,
    set: ApplicationSet,
    applications: Expansion['applications'],
    touched: ReadonlySet<string>,
  ): Promise<Decision | undefined> {
    try {
      return await this.results.decide(trx, row, set, { applications, validationErrors: {} }, touched);
    } catch (thrown) {
      if (thrown instanceof DependencyProblem) return undefined;
      throw thrown;
    }
  }

  /** Writes what the changed clusters change, unless it is not certain that this is all; answers what is known after the commit. */
  async #carryOut(
    trx: Trx,
    row: SetRow,
    set: ApplicationSet,
    of: {
      known: KnownExpansion;
      ids: string[];
      clusters: ClusterFacts[];
      expansion: Expansion;
      registryAt: string;
    },
  ): Promise<(() => KnownExpansion | undefined) | undefined> {
    const { known, ids, clusters, registryAt } = of;
    const origins = of.expansion.origins ?? [];
    // What no cluster made in this part, no cluster made before: it is as it was.
    const applications = of.expansion.applications.filter((_, i) => origins[i] !== undefined);
    const names = applications.map(({ metadata }) => metadata.name);
    const touched = touchedNames(known, ids, names);
    if (!touched) return undefined;
    const { at: applicationsAt, own } = await this.records.position(trx);
    const there = await this.records.changedSince(trx, row.id, known.applicationsAt, known.own);
    if (!isUndisturbed(known, there, touched, set)) return undefined;
    const decision = await this.#decide(trx, row, set, applications, touched);
    if (!decision || decision.plan.problems.length > 0) return undefined;
    const regenerated = byOrigin(
      decision.wanted,
      origins.filter((origin) => origin !== undefined),
      clusters,
    );
    if (!regenerated) return undefined;
    const standing = await this.clusters.activeAmong(
      trx,
      decision.plan.leave.flatMap((id) => decision.records.get(id)!.row.cluster_id ?? []),
    );
    const isComplete = await this.results.carryOut(trx, row, set, decision, standing);
    const others = there.changed.filter(({ name }) => !touched.has(name));
    const at = { registryAt, applicationsAt, own };
    return () => (isComplete ? advance(known, ids, regenerated, decision, others, at) : undefined);
  }
}
