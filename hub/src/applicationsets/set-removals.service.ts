import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { ApplicationRecords } from '../applications/application-records.service.ts';
import { Outbox } from '../queue/outbox.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationSetsRepository, type SetRow } from './applicationsets.repository.ts';
import { SetTrail } from './set-trail.ts';
import { SetTriggers } from './set-triggers.service.ts';

/** ApplicationSets that go, and removals of their Applications that wait for somebody. */
@Injectable()
export class SetRemovals {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(SetTriggers) private readonly triggers: SetTriggers,
    @Inject(SetTrail) private readonly trail: SetTrail,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** Its Applications leave; all of them wait for an approval unless `approve` is given by an approver. */
  async remove(actor: Actor, namespace: string, name: string, approve: boolean): Promise<void> {
    const row = await this.trail.open(actor, 'operator', namespace, name);
    if (approve) this.access.require(actor, 'approver', row.project || '*');
    await this.repository.db.transaction().execute((trx) => this.#remove(trx, actor, row, approve));
  }

  /** The same for a root that made it. False: it is gone already. */
  async removeIn(
    trx: Trx,
    actor: Actor,
    set: { namespace: string; name: string },
    approve: boolean,
  ): Promise<boolean> {
    const row = await this.repository.byName(set.namespace, set.name, trx);
    if (!row) return false;
    this.access.require(actor, approve ? 'approver' : 'operator', row.project || '*');
    await this.#remove(trx, actor, row, approve);
    return true;
  }

  async #remove(trx: Trx, actor: Actor, row: SetRow, approve: boolean): Promise<void> {
    await this.repository.deleting(trx, row.id);
    await this.triggers.expand(trx, [row.id]);
    await this.trail.note(trx, actor, row, 'applicationset.delete', { details: { approved: approve } });
    if (approve) await this.repository.approveAll(trx, row.id);
  }

  /** Lets the held removals of a set go on. Throws `precondition` when none is held. */
  async approveDeletions(
    actor: Actor,
    namespace: string,
    name: string,
    reason?: string,
  ): Promise<{ approved: number }> {
    const row = await this.trail.open(actor, 'approver', namespace, name);
    return this.repository.db.transaction().execute(async (trx) => {
      const approved = await this.records.approve(trx, row.id);
      if (approved === 0)
        throw new MusterError('precondition', `no removal of ${namespace}/${name} waits for an approval`);
      await this.outbox.add(trx, 'render', [`set:${row.id}`]);
      const details = { applications: approved };
      await this.trail.note(trx, actor, row, 'applicationset.approve-deletions', { reason, details });
      return { approved };
    });
  }
}
