import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ClusterChanges } from '../clusters/cluster-changes.ts';
import { Topics } from '../generators/topics.ts';
import { Outbox } from '../queue/outbox.ts';
import { SourceChanges } from '../sources/source-changes.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationSetsRepository } from './applicationsets.repository.ts';
import { SetTopicsRepository } from './set-topics.repository.ts';

/** Has sets expanded when something changed that they go by: their specification, clusters, repositories, projects, or what their generators ask. */
@Injectable()
export class SetTriggers implements OnModuleInit {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly sets: ApplicationSetsRepository,
    @Inject(SetTopicsRepository) private readonly repository: SetTopicsRepository,
    @Inject(Topics) private readonly topics: Topics,
    @Inject(ClusterChanges) private readonly clusterChanges: ClusterChanges,
    @Inject(SourceChanges) private readonly sourceChanges: SourceChanges,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  onModuleInit(): void {
    this.topics.on(async (trx, topics) => this.expand(trx, await this.repository.following(trx, topics)));
    this.clusterChanges.on(async (trx) => {
      await this.expand(trx, await this.sets.dependingOnClusters(trx));
    });
    this.sourceChanges.on(async (trx, { repositoryId, revisions }) => {
      await this.expand(trx, await this.sets.reading(trx, repositoryId, revisions));
    });
  }

  /** Has a set follow what its generators ask, from now on. */
  async follow(trx: Trx, setId: string, topics: readonly string[]): Promise<void> {
    await this.repository.write(trx, setId, topics);
  }

  /** A set was written: it may say other things, and name another rollout policy. */
  async written(trx: Trx, setId: string): Promise<void> {
    await this.expand(trx, [setId]);
    await this.outbox.add(trx, 'rollout', [`set:${setId}`]);
  }

  /** Sets that may belong to a project are expanded again. */
  async projectChanged(trx: Trx, project: string): Promise<void> {
    await this.expand(trx, await this.sets.inProject(trx, project));
  }

  /** Answers how many. */
  async expand(trx: Trx, ids: readonly string[]): Promise<number> {
    await this.outbox.add(
      trx,
      'expand',
      ids.map((id) => `set:${id}`),
    );
    return ids.length;
  }
}
