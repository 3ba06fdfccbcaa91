import type {
  ListRollouts,
  RolloutDetail,
  RolloutList,
  RolloutReplay,
  RolloutVerb,
  RolloutView,
} from '@muster/api';
import { MusterError } from '@muster/base';
import type { Rollout, RolloutState } from '@muster/rollout';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { DirectoryService } from '../access/directory.service.ts';
import { Events } from '../api/events.ts';
import { decodeCursor, toPage } from '../api/paging.ts';
import { Audit } from '../audit/audit.ts';
import type { Trx } from '../store/schema.ts';
import { RolloutClock } from './rollout-clock.ts';
import { RolloutSteps } from './rollout-steps.service.ts';
import { verbEvent } from './rollout-verbs.ts';
import { detailOf, replayOf, viewOf } from './rollout-views.ts';
import { type RolloutLine, RolloutsRepository } from './rollouts.repository.ts';

/** Rollouts as users see them, and what they ask of them. */
@Injectable()
export class RolloutsService implements OnModuleInit {
  constructor(
    @Inject(RolloutsRepository) private readonly repository: RolloutsRepository,
    @Inject(RolloutSteps) private readonly steps: RolloutSteps,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(DirectoryService) private readonly directory: DirectoryService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
    @Inject(RolloutClock) private readonly clock: RolloutClock,
  ) {}

  onModuleInit(): void {
    this.events.visibility('rollout', (ids, projects) => this.repository.visible(ids, projects));
  }

  async list(actor: Actor, { limit, after, open, owner }: ListRollouts): Promise<RolloutList> {
    const cursor = after === undefined ? undefined : (decodeCursor(after, 2) as [string, string]);
    const projects = this.access.visibleProjects(actor, 'viewer');
    const filter = { projects, open, ...(owner === undefined ? {} : { owner }) };
    const rows = await this.repository.page(filter, limit + 1, cursor);
    const page = toPage(rows, limit, (row) => [row.created_at.toISOString(), row.id]);
    return { ...page, items: page.items.map(viewOf) };
  }

  async get(actor: Actor, id: string): Promise<RolloutDetail> {
    const row = await this.#visible(actor, id);
    return detailOf(row, await this.#state(row), this.clock.now());
  }

  /** Decides everything again that was decided, and says whether it comes to the same. */
  async replay(actor: Actor, id: string): Promise<RolloutReplay> {
    const row = await this.#visible(actor, id);
    const begun = (await this.repository.begun(id))!;
    return replayOf(id, begun, await this.repository.log(id), await this.#state(row));
  }

  /** Throws `forbidden`, `invalid`, or `precondition` with the reason why it makes no sense now. */
  async ask(actor: Actor, id: string, asked: RolloutVerb): Promise<RolloutView> {
    const row = await this.#visible(actor, id);
    const approves = asked.verb === 'approve' || asked.verb === 'reject';
    this.access.require(actor, approves ? 'approver' : 'operator', row.project || '*');
    const groups = approves ? await this.directory.groupsOf(actor) : [];
    const name = actor.userName ?? actor.name;
    return this.repository.db.transaction().execute(async (trx) => {
      const shown = row.ended_at
        ? await this.#afterwards(trx, row, asked)
        : await this.#obey(trx, row, asked, { actor: name, groups });
      await this.audit.record(trx, {
        actor,
        action: `rollout.${asked.verb}`,
        object: `rollout/${row.id}`,
        project: row.project || '*',
        ...(asked.reason ? { reason: asked.reason } : {}),
        details: { owner: row.owner_name, release: (row.state as Rollout).to.label, ...detailsOf(asked) },
      });
      return shown;
    });
  }

  async #obey(
    trx: Trx,
    row: RolloutLine,
    asked: RolloutVerb,
    by: { actor: string; groups: readonly string[] },
  ): Promise<RolloutView> {
    if (asked.verb === 'undo' && asked.to !== undefined)
      throw new MusterError('precondition', 'the rollout goes on: without --to it is taken back', {
        hint: 'a release is chosen once the rollout has ended',
      });
    await this.steps.obey(trx, row.id, (rollout) => verbEvent(asked, rollout, by));
    return viewOf((await this.repository.find(row.id, trx))!);
  }

  /** After a rollout has ended its release may be tried again, and an earlier one rolled out. */
  async #afterwards(trx: Trx, row: RolloutLine, asked: RolloutVerb): Promise<RolloutView> {
    const owner = { kind: row.owner_kind, id: row.owner_id };
    if (asked.verb !== 'retry' && asked.verb !== 'undo')
      throw new MusterError('precondition', `the rollout has ended (${row.phase})`);
    const id =
      asked.verb === 'retry'
        ? await this.steps.again(trx, owner)
        : await this.steps.undo(trx, owner, asked.to);
    return viewOf((await this.repository.find(id, trx))!);
  }

  async #state(row: RolloutLine): Promise<RolloutState> {
    const records = await this.repository.targets(this.repository.db, row.id);
    return {
      rollout: row.state as Rollout,
      targets: new Map(records.map(({ target }) => [target.id, target])),
    };
  }

  /** Throws `not-found`, also for what the actor may not see. */
  async #visible(actor: Actor, id: string): Promise<RolloutLine> {
    const row = UUID.test(id) ? await this.repository.find(id) : undefined;
    if (!row || !this.access.allows(actor, 'viewer', row.project || '*'))
      throw new MusterError('not-found', `there is no rollout ${id}`);
    return row;
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function detailsOf(asked: RolloutVerb): Record<string, unknown> {
  const { verb: _verb, reason: _reason, ...details } = asked;
  return details;
}
