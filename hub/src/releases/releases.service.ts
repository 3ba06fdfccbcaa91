import { Inject, Injectable } from '@nestjs/common';
import type { Content, Target } from './targets.ts';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import { RolloutStarts } from '../rollouts/rollout-starts.service.ts';
import type { Trx } from '../store/schema.ts';
import type { Owner } from './owner.ts';
import { causeOf, movedIn, releaseDifference } from './release-plan.ts';
import { ReleasesRepository } from './releases.repository.ts';

/** What a change is called in the history. */
export interface CommitLabel {
  commit: string;
  revision: string;
  message?: string;
  author?: string;
}

/** What a release is made of. */
export interface ReleasedContents {
  /** Encoded assignments by digest. */
  contents: ReadonlyMap<string, Buffer>;
  labels: ReadonlyMap<string, readonly CommitLabel[]>;
}

const NOTHING = { targets: new Map<string, Content>(), contents: new Map<string, Buffer>() };

/** Releases: immutable maps from targets to assignment digests. */
@Injectable()
export class ReleasesService {
  constructor(
    @Inject(ReleasesRepository) private readonly repository: ReleasesRepository,
    @Inject(AssignmentsService) private readonly assignments: AssignmentsService,
    @Inject(RolloutStarts) private readonly rollouts: RolloutStarts,
  ) {}

  /** Holds the owner for the length of the transaction; false: it is gone. */
  hold(trx: Trx, owner: Owner): Promise<boolean> {
    return this.assignments.hold(trx, owner);
  }

  latest(trx: Trx, owner: Owner) {
    return this.assignments.latestRelease(trx, owner);
  }

  /** Clusters of targets that may be assigned to. */
  assignable(trx: Trx, targets: readonly Target[]): Promise<Set<string>> {
    return this.assignments.assignable(
      trx,
      targets.map((target) => target.clusterId),
    );
  }

  /** What is assigned now for Applications. */
  assignedFor(trx: Trx, applicationIds: readonly string[]) {
    return this.assignments.assignedFor(trx, applicationIds);
  }

  /**
   * Makes a release when a target differs from the newest one, begins its rollout, and asks for its assignments. `labels` are of the
   * commit of each source, by Application; `earlier`: what new targets hold until their turn has come. Answers its id; undefined: nothing differs and nothing was written.
   */
  async release(
    trx: Trx,
    owner: Owner,
    previous: { id: string; targets: readonly Target[] } | undefined,
    next: readonly Target[],
    { contents, labels }: ReleasedContents,
    earlier: { targets: ReadonlyMap<string, Content>; contents: ReadonlyMap<string, Buffer> } = NOTHING,
  ): Promise<string | undefined> {
    const difference = releaseDifference(previous?.targets ?? [], next);
    if (!difference) return undefined;
    const changed = difference.changed.find(
      (target) => target.digest !== null && labels.has(target.applicationId),
    );
    const moved = movedIn(difference);
    const label = moved
      ? labels.get(moved.target.applicationId)?.[moved.position]
      : changed && labels.get(changed.applicationId)?.[0];
    const cause = causeOf(difference, (id, position) => labels.get(id)?.[position]?.revision);
    await this.repository.storeContents(trx, new Map([...contents, ...earlier.contents]));
    const release = {
      owner,
      cause,
      commit: label?.commit ?? null,
      message: label?.message ?? null,
      author: label?.author ?? null,
    };
    const { id, number } = await this.repository.insert(trx, release, next);
    await this.rollouts.released(trx, {
      owner,
      id,
      number,
      cause,
      previous,
      next,
      newCommit: moved !== undefined,
      earlier: earlier.targets,
    });
    await this.assignments.ask(trx, [owner]);
    return id;
  }

  /** Makes a release of one Application that is what was assigned to it last, and asks for its assignment. */
  async again(trx: Trx, owner: Owner, target: Target): Promise<void> {
    const previous = await this.assignments.latestRelease(trx, owner);
    if (!releaseDifference(previous?.targets ?? [], [target])) return;
    const release = { owner, cause: 'restored', commit: target.commit, message: null, author: null };
    await this.repository.insert(trx, release, [target]);
    // What it held last is no step anywhere: it goes there at once.
    await this.rollouts.free(trx, [target]);
    await this.assignments.ask(trx, [owner]);
  }

  /** Notes Applications whose removal is decided; those that nothing is assigned for go at once. */
  async depart(trx: Trx, applicationIds: readonly string[]): Promise<void> {
    await this.repository.depart(trx, applicationIds);
    await this.assignments.endRemovals(trx, applicationIds);
  }

  history(applicationId: string, limit = 50) {
    return this.repository.history(applicationId, limit);
  }
}
