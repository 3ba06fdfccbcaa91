import type { Actor } from '../access/actor.ts';
import type { Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import { firstInAMinute } from './audit.repository.ts';

/** One privileged act. */
export interface AuditEntry {
  /** Who; a string for what is no actor of the API: `cluster:<name>`, `system`. */
  actor: Actor | string;
  /** Such as `cluster.approve`. */
  action: string;
  /** Such as `cluster/prod-eu-1`, `application/argocd/web-prod`. */
  object: string;
  project?: string;
  reason?: string;
  /** What changed. Never secrets. */
  details?: Record<string, unknown>;
}

/** The audit log: rows in the same transaction as the act. */
export class Audit {
  async record(trx: Db, entry: AuditEntry): Promise<void> {
    const { actor } = entry;
    await trx
      .insertInto('audit')
      .values({
        actor: typeof actor === 'string' ? actor : actor.name,
        action: entry.action,
        object: entry.object,
        project: entry.project ?? null,
        reason: entry.reason ?? null,
        details: JSON.stringify(entry.details ?? {}),
        remote_address: typeof actor === 'string' ? null : (actor.remoteAddress ?? null),
      })
      .execute();
  }

  /** Leaves the entry out when the same was recorded from the same address within the last minute. */
  async recordOnceAMinute(trx: Trx, entry: AuditEntry & { actor: Actor }): Promise<void> {
    const { actor, action, object } = entry;
    if (await firstInAMinute(trx, { action, object, address: actor.remoteAddress ?? '' }))
      await this.record(trx, entry);
  }
}
