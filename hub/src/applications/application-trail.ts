import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { Audit } from '../audit/audit.ts';
import type { Trx } from '../store/schema.ts';
import type { ListedRow } from './application-list.repository.ts';
import { ApplicationViews } from './application-views.service.ts';

/** Who may do what with an Application, and the trail that it leaves. */
@Injectable()
export class ApplicationTrail {
  constructor(
    @Inject(ApplicationViews) private readonly views: ApplicationViews,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
  ) {}

  /** The Application for somebody with this role. Throws `not-found` for what they may not see, else `forbidden`. */
  async open(actor: Actor, role: 'viewer' | 'operator', namespace: string, name: string): Promise<ListedRow> {
    const row = await this.views.visible(actor, namespace, name);
    this.access.require(actor, role, row.project);
    return row;
  }

  /** Writes the audit log, and tells who watches. */
  async note(
    trx: Trx,
    actor: Actor,
    row: { namespace: string; name: string; project: string },
    action: string,
    details: Record<string, unknown> = {},
    reason?: string,
  ): Promise<void> {
    const object = `application/${row.namespace}/${row.name}`;
    await this.audit.record(trx, {
      actor,
      action,
      object,
      project: row.project,
      ...(reason ? { reason } : {}),
      details,
    });
    await this.events.publish('application', [`${row.namespace}/${row.name}`], { trx, project: row.project });
  }
}
