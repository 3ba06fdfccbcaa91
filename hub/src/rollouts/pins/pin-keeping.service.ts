import type { Rollout } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../../access/actor.ts';
import { Events } from '../../api/events.ts';
import { AssignmentsService } from '../../assignments/assignments.service.ts';
import { Audit } from '../../audit/audit.ts';
import type { Owner } from '../../releases/owner.ts';
import type { Trx } from '../../store/schema.ts';
import { Holds } from '../holds.service.ts';
import { RolloutRecords } from '../rollout-records.service.ts';
import { RolloutTriggers } from '../rollout-triggers.service.ts';
import type { TargetIds } from '../../releases/targets.ts';
import { afterwards } from './letting-go.ts';
import { PinsRepository } from './pins.repository.ts';

interface Change {
  actor: Actor;
  target: TargetIds & { namespace: string; name: string; project: string };
  owner: Owner;
  reason: string;
}

/** What follows from a pin, or from its end. The caller holds the owner. */
@Injectable()
export class PinKeeping {
  constructor(
    @Inject(PinsRepository) private readonly repository: PinsRepository,
    @Inject(Holds) private readonly holds: Holds,
    @Inject(RolloutRecords) private readonly records: RolloutRecords,
    @Inject(RolloutTriggers) private readonly triggers: RolloutTriggers,
    @Inject(AssignmentsService) private readonly assignments: AssignmentsService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
  ) {}

  /** Answers in words what the target holds from now on; undefined: it was not pinned. */
  async letGo(trx: Trx, change: Change): Promise<string | undefined> {
    const { target, owner } = change;
    const pinned = await this.repository.unpin(trx, target);
    if (!pinned) return undefined;
    const [memberOf] = await this.repository.rolloutsOf(trx, target);
    const open = (await this.records.open(trx, owner.id)).map(({ id, phase, state }) => ({
      id,
      phase,
      label: (state as Rollout).to.label,
    }));
    const after = afterwards({
      digest: pinned.digest,
      newest: (await this.repository.newest(trx, owner.id, target))?.digest,
      memberOf,
      open,
      others: await this.repository.othersHeld(trx, owner, target),
    });
    if (after.kind === 'newest') await this.holds.release(trx, [target]);
    else await this.repository.heldBy(trx, target, after.rolloutId, after.reason);
    await this.changed(trx, { ...change, action: 'application.unpin', details: { next: after.next } });
    if (after.kind === 'held' && after.rolloutId) await this.triggers.ask(trx, [after.rolloutId]);
    if (after.kind === 'held' && !after.rolloutId) await this.triggers.askOwners(trx, [owner]);
    return after.next;
  }

  /** Has everybody look who signs for the target or moves it, and writes the audit log. */
  async changed(
    trx: Trx,
    change: Change & { action: string; details: Record<string, unknown> },
  ): Promise<void> {
    const { actor, action, target, owner, reason, details } = change;
    const { namespace, name, project } = target;
    await this.audit.record(trx, {
      actor,
      action,
      object: `application/${namespace}/${name}`,
      project,
      reason,
      details,
    });
    await this.events.publish('application', [`${namespace}/${name}`], { trx, project });
    await this.triggers.ask(trx, await this.repository.rolloutsOf(trx, target));
    await this.assignments.ask(trx, [owner]);
  }
}
