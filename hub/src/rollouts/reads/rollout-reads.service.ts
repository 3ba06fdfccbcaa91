import type {
  GetRollout,
  ListRolloutTargets,
  ListRollouts,
  PageQuery,
  RolloutDetail,
  RolloutList,
  RolloutLog,
  RolloutReleases,
  RolloutTargetList,
} from '@muster/api';
import { MusterError } from '@muster/base';
import { type Rollout, type RolloutState, hasEnded } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../../access/access.service.ts';
import type { Actor } from '../../access/actor.ts';
import { DirectoryService } from '../../access/directory.service.ts';
import { decodeCursor, toPage } from '../../api/paging.ts';
import type { Circle } from '../dependencies/circle-search.ts';
import { heldExamples } from '../dependencies/circle-words.ts';
import { DependencyCycles } from '../dependencies/dependency-cycles.service.ts';
import { RolloutClock } from '../rollout-clock.ts';
import { detailOf, listItemOf, targetOf, transitionOf } from '../rollout-views.ts';
import { type RolloutLine, RolloutsRepository } from '../rollouts.repository.ts';
import { RolloutReadsRepository } from './rollout-reads.repository.ts';

const RELEASES = 100;

/** Rollouts as users see them. */
@Injectable()
export class RolloutReads {
  constructor(
    @Inject(RolloutReadsRepository) private readonly reads: RolloutReadsRepository,
    @Inject(RolloutsRepository) private readonly repository: RolloutsRepository,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(DirectoryService) private readonly directory: DirectoryService,
    @Inject(RolloutClock) private readonly clock: RolloutClock,
    @Inject(DependencyCycles) private readonly cycles: DependencyCycles,
  ) {}

  async list(actor: Actor, { limit, after, order, ...filter }: ListRollouts): Promise<RolloutList> {
    const cursor = after === undefined ? undefined : (decodeCursor(after, 3) as [string, string, string]);
    const projects = this.access.visibleProjects(actor, 'viewer');
    const rows = await this.reads.page({ ...filter, projects }, order === 'urgent', limit + 1, cursor);
    const page = toPage(rows, limit, (row) => [String(row.urgency), row.created_at.toISOString(), row.id]);
    const open = page.items.filter((row) => row.ended_at === null).map(({ id }) => id);
    const [counts, releases] = await Promise.all([
      this.reads.counts(open),
      this.reads.releases(page.items.flatMap(releaseIds)),
    ]);
    const now = this.clock.now();
    return {
      ...page,
      items: page.items.map((row) => listItemOf(row, counts.get(row.id) ?? [], releases, now)),
    };
  }

  async get(actor: Actor, id: string, { targets }: GetRollout): Promise<RolloutDetail> {
    const row = await this.visible(actor, id);
    const asker = {
      name: actor.userName ?? actor.name,
      approver: this.access.allows(actor, 'approver', row.project || '*'),
      groups: await this.directory.groupsOf(actor),
    };
    const [releases, state] = await Promise.all([this.reads.releases(releaseIds(row)), this.state(row)]);
    const circle = await this.#circle(state);
    return detailOf(row, state, { now: this.clock.now(), asker, releases, circle, most: targets });
  }

  /** Whether what its targets wait for waits for itself, as policies and annotations are now. */
  async #circle({ rollout, targets }: RolloutState): Promise<Circle | undefined> {
    const held = hasEnded(rollout.phase) ? [] : heldExamples(targets.values());
    return held.length === 0 ? undefined : this.cycles.circle(held);
  }

  /** Throws `not-found` for a stage that it does not have. */
  async targets(
    actor: Actor,
    id: string,
    { limit, after, search, stage, group }: ListRolloutTargets,
  ): Promise<RolloutTargetList> {
    const row = await this.visible(actor, id);
    const rollout = row.state as Rollout;
    const index = stage === undefined ? undefined : rollout.stages.findIndex(({ name }) => name === stage);
    if (index === -1) throw new MusterError('not-found', `the rollout has no stage ${stage}`);
    const cursor =
      after === undefined ? undefined : (decodeCursor(after, 4) as [string, string, string, string]);
    const rows = await this.reads.targets(id, { search, group, stage: index }, limit + 1, cursor);
    const page = toPage(rows, limit, ({ key }) => key);
    return { ...page, items: page.items.map(({ target }) => targetOf(target, rollout)) };
  }

  /** What happened, newest first; `limit` counts steps, of which each may have changed many targets. */
  async log(actor: Actor, id: string, { limit, after }: PageQuery): Promise<RolloutLog> {
    await this.visible(actor, id);
    const before = after === undefined ? undefined : decodeCursor(after, 1)[0]!;
    const steps = await this.reads.log(id, limit + 1, before);
    const page = toPage(steps, fitting(steps, limit), ({ seq }) => [String(seq)]);
    return {
      ...page,
      items: page.items.flatMap(({ transitions }) => transitions.toReversed().map(transitionOf)),
    };
  }

  async releases(actor: Actor, id: string): Promise<RolloutReleases> {
    const row = await this.visible(actor, id);
    const rows = await this.reads.releasesOf(row.owner_id, RELEASES);
    return {
      items: rows.map((one) => ({
        number: Number(one.number),
        cause: one.cause,
        ...(one.commit ? { commit: one.commit } : {}),
        ...(one.message === null ? {} : { message: one.message }),
        ...(one.author === null ? {} : { author: one.author }),
        at: one.created_at.toISOString(),
      })),
    };
  }

  async state(row: RolloutLine): Promise<RolloutState> {
    const records = await this.repository.targets(this.repository.db, row.id);
    return {
      rollout: row.state as Rollout,
      targets: new Map(records.map(({ target }) => [target.id, target])),
    };
  }

  /** Throws `not-found`, also for what the actor may not see. */
  async visible(actor: Actor, id: string): Promise<RolloutLine> {
    const row = UUID.test(id) ? await this.repository.find(id) : undefined;
    if (!row || !this.access.allows(actor, 'viewer', row.project || '*'))
      throw new MusterError('not-found', `there is no rollout ${id}`);
    return row;
  }
}

/** How many of these steps fit into a page: at least one, and not many more than `MAX_TRANSITIONS` changes together. */
export function fitting(steps: readonly { transitions: readonly unknown[] }[], limit: number): number {
  let changes = 0;
  const full = steps.findIndex(({ transitions }) => (changes += transitions.length) >= MAX_TRANSITIONS);
  return full < 0 ? limit : Math.min(limit, full + 1);
}

const MAX_TRANSITIONS = 5_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function releaseIds({ from_release: from, to_release: to }: RolloutLine): string[] {
  return from === null ? [to] : [from, to];
}
