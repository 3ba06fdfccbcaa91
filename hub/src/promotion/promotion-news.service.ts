import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { Audit } from '../audit/audit.ts';
import type { Trx } from '../store/schema.ts';

interface Subject {
  name: string;
  project: string;
}

interface Deed extends Subject {
  actor: Actor | 'system';
  /** Of the audit log, without `promotion.`. */
  action: string;
  reason?: string;
  details?: Record<string, unknown>;
}

/** What is told of promotions: to the audit log, and to pages that show them. */
@Injectable()
export class PromotionNews {
  constructor(
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
  ) {}

  /** Writes down what somebody, or the hub itself, did. */
  async record(trx: Trx, { name, project, actor, action, reason, details }: Deed): Promise<void> {
    await this.audit.record(trx, {
      actor,
      action: `promotion.${action}`,
      object: `promotion/${name}`,
      project,
      ...(reason ? { reason } : {}),
      ...(details ? { details } : {}),
    });
  }

  /** Has whoever looks at it read it again. */
  async changed(trx: Trx, { name, project }: Subject): Promise<void> {
    await this.events.publish('promotion', [name], { trx, project });
  }
}
