import { setImmediate } from 'node:timers/promises';
import type { ReplayRollout, RolloutReplay, RolloutVerb, RolloutView } from '@muster/api';
import { MusterError } from '@muster/base';
import type { Rollout } from '@muster/rollout';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { DirectoryService } from '../access/directory.service.ts';
import { Events } from '../api/events.ts';
import { Audit } from '../audit/audit.ts';
import type { Trx } from '../store/schema.ts';
import { RolloutReads } from './reads/rollout-reads.service.ts';
import { RolloutSteps } from './rollout-steps.service.ts';
import { skippedApproval, verbEvent } from './rollout-verbs.ts';
import { Replaying } from './replaying.ts';
import { viewOf } from './rollout-views.ts';
import { type RolloutLine, RolloutsRepository } from './rollouts.repository.ts';

const REPLAYED_AT_ONCE = 100;

/** What users ask of rollouts, and how those came about. */
@Injectable()
export class RolloutsService implements OnModuleInit {
  constructor(
    @Inject(RolloutsRepository) private readonly repository: RolloutsRepository,
    @Inject(RolloutSteps) private readonly steps: RolloutSteps,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(DirectoryService) private readonly directory: DirectoryService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
    @Inject(RolloutReads) private readonly reads: RolloutReads,
  ) {}

  onModuleInit(): void {
    this.events.visibility('rollout', (ids, projects) => this.repository.visible(ids, projects));
  }

  /**
   * Decides everything again that was decided, and says whether it comes to the same. What happens meanwhile counts for neither
   * side; others are served in between.
   */
  async replay(
    actor: Actor,
    id: string,
    { transitions }: ReplayRollout = { transitions: 5_000 },
  ): Promise<RolloutReplay> {
    await this.reads.visible(actor, id);
    const { repository } = this;
    const snapshot = repository.db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only');
    return snapshot.execute(async (trx) => {
      const row = await repository.find(id, trx);
      const begun = await repository.begun(trx, id);
      if (!row || !begun) throw new MusterError('not-found', `there is no rollout ${id}`);
      const replaying = new Replaying(begun, transitions);
      for (let after = BigInt(begun.after ?? -1), more = true; more; ) {
        const steps = await repository.log(trx, id, after, REPLAYED_AT_ONCE);
        for (const step of steps) {
          replaying.add(step);
          await setImmediate();
        }
        after = steps.at(-1)?.seq ?? after;
        more = steps.length === REPLAYED_AT_ONCE;
      }
      const records = await repository.targets(trx, id);
      const targets = new Map(records.map(({ target }) => [target.id, target]));
      return replaying.result(id, { rollout: row.state as Rollout, targets });
    });
  }

  /** Throws `forbidden`, `invalid`, or `precondition` with the reason why it makes no sense now. */
  async ask(actor: Actor, id: string, asked: RolloutVerb): Promise<RolloutView> {
    const row = await this.reads.visible(actor, id);
    const approves = asked.verb === 'approve' || asked.verb === 'reject';
    const project = row.project || '*';
    this.access.require(actor, approves ? 'approver' : 'operator', project);
    const passedOver = skippedApproval(asked, row.state as Rollout);
    if (passedOver !== undefined && !this.access.allows(actor, 'admin', project))
      throw new MusterError(
        'forbidden',
        `"${passedOver}" asks for an approval: only admins may pass it over`,
        {
          hint: 'muster rollout approve takes the role approver, and one of the groups of the gate',
        },
      );
    const groups = approves ? await this.directory.groupsOf(actor) : [];
    const name = actor.userName ?? actor.name;
    const { shown, committed } = await this.repository.db.transaction().execute(async (trx) => {
      const obeyed = row.ended_at
        ? { shown: await this.#afterwards(trx, row, asked), committed: () => {} }
        : await this.#obey(trx, row, asked, { actor: name, groups });
      await this.audit.record(trx, {
        actor,
        action: `rollout.${asked.verb}`,
        object: `rollout/${row.id}`,
        project: row.project || '*',
        ...(asked.reason ? { reason: asked.reason } : {}),
        details: { owner: row.owner_name, release: (row.state as Rollout).to.label, ...detailsOf(asked) },
      });
      return obeyed;
    });
    committed();
    return shown;
  }

  async #obey(
    trx: Trx,
    row: RolloutLine,
    asked: RolloutVerb,
    by: { actor: string; groups: readonly string[] },
  ): Promise<{ shown: RolloutView; committed: () => void }> {
    if (asked.verb === 'undo' && asked.to !== undefined)
      throw new MusterError('precondition', 'the rollout goes on: without --to it is taken back', {
        hint: 'a release is chosen once the rollout has ended',
      });
    const committed = await this.steps.obey(trx, row.id, (rollout) => verbEvent(asked, rollout, by));
    return { shown: viewOf((await this.repository.find(row.id, trx))!), committed };
  }

  /** After a rollout has ended its release may be tried again, and an earlier one rolled out. */
  async #afterwards(trx: Trx, row: RolloutLine, asked: RolloutVerb): Promise<RolloutView> {
    const owner = { kind: row.owner_kind, id: row.owner_id };
    if (asked.verb !== 'retry' && asked.verb !== 'undo')
      throw new MusterError('precondition', `the rollout has ended (${row.phase})`, {
        ...(asked.verb === 'skip'
          ? {
              hint: 'muster rollout retry rolls the release out again; its gates may be skipped before they are asked',
            }
          : {}),
      });
    const id =
      asked.verb === 'retry'
        ? await this.steps.again(trx, owner)
        : await this.steps.undo(trx, owner, asked.to);
    return viewOf((await this.repository.find(id, trx))!);
  }
}

function detailsOf(asked: RolloutVerb): Record<string, unknown> {
  const { verb: _verb, reason: _reason, ...details } = asked;
  return details;
}
