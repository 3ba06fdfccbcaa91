import type { AuditQuery, AuditRecord, Page } from '@muster/api';
import { sql } from 'kysely';
import { decodeCursor, toPage } from '../api/paging.ts';
import type { Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';

/** The SQL that reads the audit log, newest first. */
export class AuditRepository {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** `projects`: those that the reader may see, or all. */
  async list(query: AuditQuery, projects: '*' | string[]): Promise<Page<AuditRecord>> {
    const { limit, after, actor, action, object, project, since, until } = query;
    let select = this.#db
      .selectFrom('audit')
      .selectAll()
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (after !== undefined)
      select = select.where('id', '<', BigInt(digits(decodeCursor(after, 1)[0]!)) as never);
    if (actor !== undefined) select = select.where('actor', '=', actor);
    if (action?.endsWith('.*')) select = select.where('action', '^@', action.slice(0, -1));
    else if (action !== undefined) select = select.where('action', '=', action);
    if (object !== undefined) select = select.where('object', '=', object);
    if (project !== undefined) select = select.where('project', '=', project);
    if (since !== undefined) select = select.where('at', '>=', new Date(since));
    if (until !== undefined) select = select.where('at', '<', new Date(until));
    if (projects !== '*') select = select.where('project', 'in', projects);
    const page = toPage(await select.execute(), limit, ({ id }) => [String(id)]);
    return {
      ...page,
      items: page.items.map((row) => ({
        id: String(row.id),
        at: row.at.toISOString(),
        actor: row.actor,
        action: row.action,
        object: row.object,
        ...(row.project !== null && { project: row.project }),
        ...(row.reason !== null && { reason: row.reason }),
        details: row.details,
        ...(row.remote_address !== null && { remoteAddress: row.remote_address }),
      })),
    };
  }
}

function digits(text: string): string {
  return /^\d{1,19}$/.test(text) ? text : '0';
}

/** Whether nothing like it was recorded within a minute; whoever asks the same waits until the transaction ends. */
export async function firstInAMinute(
  trx: Trx,
  one: { action: string; object: string; address: string },
): Promise<boolean> {
  const { action, object, address } = one;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`audit ${action} ${object} ${address}`}, 0))`.execute(
    trx,
  );
  const { rows } = await sql`
    select from audit where at > now() - interval '1 minute' and action = ${action} and object = ${object}
      and coalesce(remote_address, '') = ${address} limit 1`.execute(trx);
  return rows.length === 0;
}
