import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { Audit } from '../audit/audit.ts';
import type { Trx } from '../store/schema.ts';
import type { SetRow } from './applicationsets.repository.ts';
import { SetViews } from './set-views.service.ts';

/** Who may do what with an ApplicationSet, and the trail that it leaves. */
@Injectable()
export class SetTrail {
  constructor(
    @Inject(SetViews) private readonly views: SetViews,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
  ) {}

  /** The set for somebody with this role. Throws `not-found` for what they may not see, else `forbidden`. */
  async open(actor: Actor, role: 'operator' | 'approver', namespace: string, name: string): Promise<SetRow> {
    const row = await this.views.visible(actor, namespace, name);
    this.access.require(actor, role, row.project || '*');
    return row;
  }

  /** Writes the audit log, and tells who watches. */
  async note(
    trx: Trx,
    actor: Actor,
    { namespace, name, project }: { namespace: string; name: string; project: string },
    action: string,
    { reason, details }: { reason?: string | undefined; details?: Record<string, unknown> } = {},
  ): Promise<void> {
    await this.audit.record(trx, {
      actor,
      action,
      object: `applicationset/${namespace}/${name}`,
      project: project || '*',
      ...(reason ? { reason } : {}),
      ...(details ? { details } : {}),
    });
    await this.events.publish('applicationset', [`${namespace}/${name}`], { trx });
  }
}
