import type { Application, ApplicationSet } from '@muster/appset';
import type { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { ClusterFacts } from '../clusters/clusters.service.ts';
import type { SetCondition } from '../store/schema.ts';
import { ApplicationSetsRepository } from './applicationsets.repository.ts';
import type { Removal } from './deletion-budget.ts';
import {
  type Decision,
  type Departures,
  ExpansionResults,
  type SetFacts,
} from './expansion-results.service.ts';
import { expansionFailure } from './expansion.service.ts';
import { SetGeneration } from './set-generation.service.ts';
import type { CheckedSet } from './set-manifest.ts';
import { SetManifests } from './set-manifests.ts';
import { SetRepositories, type SupposedRepositories } from './set-repositories.ts';

/** A set as it would be: one that there is, perhaps with another specification, or a new one. */
export interface SupposedSet {
  row: SetFacts;
  set: ApplicationSet;
  /** As it is now; undefined: there is none of this name. */
  before: { project: string; conditions: readonly SetCondition[] } | undefined;
}

/** What sets are expanded against when the world is supposed to be another one. */
export interface SupposedWorld extends SupposedRepositories {
  clusters: readonly ClusterFacts[];
  projects: ReadonlySet<string>;
}

/** What a set's expansion would change; with a failure everything stays as it is. */
export type SupposedExpansion =
  | { failure: MusterError }
  | { failure: undefined; decision: Decision; departures: Departures };

/** Why sets would be expanded again. */
export interface SetCauses {
  /** By repository id: the revisions that move. */
  moved: ReadonlyMap<string, readonly string[]>;
  clusters: boolean;
  projects: readonly string[];
}

/** Expands sets as they would be, and says what that would change. Writes nothing. */
@Injectable()
export class SupposedSets {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(SetManifests) private readonly manifests: SetManifests,
    @Inject(SetGeneration) private readonly generation: SetGeneration,
    @Inject(SetRepositories) private readonly repositories: SetRepositories,
    @Inject(ExpansionResults) private readonly results: ExpansionResults,
  ) {}

  /** What the clusters generator sees. */
  registered(): Promise<ClusterFacts[]> {
    return this.generation.registered();
  }

  /** Ids of the sets that would be expanded again; those that are being deleted are not. */
  async affected({ moved, clusters, projects }: SetCauses): Promise<string[]> {
    const { db } = this.repository;
    const found = new Set<string>();
    const add = (ids: readonly string[]) => {
      for (const id of ids) found.add(id);
    };
    for (const [repositoryId, revisions] of moved)
      add(await this.repository.reading(db, repositoryId, revisions));
    if (clusters) add(await this.repository.dependingOnClusters(db));
    for (const project of projects) add(await this.repository.inProject(db, project));
    return [...found].sort();
  }

  /** A set as it is; undefined for one that is gone or being deleted. */
  async byId(id: string): Promise<SupposedSet | undefined> {
    const row = await this.repository.byId(id);
    if (!row || row.deleting_at) return undefined;
    const set = this.manifests.open(row);
    return { row, set, before: row };
  }

  /** A set as it would be applied. */
  async applied(namespace: string, checked: CheckedSet): Promise<SupposedSet> {
    const { name } = checked.set.metadata;
    const there = await this.repository.byName(namespace, name);
    const facts = { deleting_at: null, deleting_approved: false, project: checked.project };
    // No row has the nil id: a new set finds no Applications of its own.
    const row = there ? { ...there, ...facts } : { id: NIL, namespace, name, ...facts };
    const { status: _status, ...written } = checked.set;
    const set = { ...written, metadata: { ...written.metadata, namespace } };
    return { row, set, before: there };
  }

  /** What a set would generate; undefined where that fails: its expansion says so. */
  async generated({ row, set }: SupposedSet, signal: AbortSignal): Promise<Application[] | undefined> {
    try {
      const { applications } = await this.generation.generate({ set, project: row.project }, signal);
      return applications;
    } catch {
      return undefined;
    }
  }

  /** `removed`: what sets that were expanded before this one let go, which draws on the same budgets. */
  async expand(
    { row, set }: SupposedSet,
    world: SupposedWorld,
    removed: readonly Removal[],
    signal: AbortSignal,
  ): Promise<SupposedExpansion> {
    try {
      const { clusters, projects } = world;
      const repositories = this.repositories.contents(row.project, signal, new Map(), world);
      const expansion = await this.generation.generate(
        { set, project: row.project, clusters, projects, repositories },
        signal,
      );
      const { db } = this.repository;
      const decision = await this.results.decide(db, row, set, expansion);
      const departures = await this.results.departures(db, row, set, decision, clusters, removed);
      return { failure: undefined, decision, departures };
    } catch (thrown) {
      signal.throwIfAborted();
      return { failure: expansionFailure(thrown, set) };
    }
  }
}

const NIL = '00000000-0000-0000-0000-000000000000';
