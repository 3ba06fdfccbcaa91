import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import { LEASE_ENDS, endedWithin } from '../store/lease.ts';
import type { Trx } from '../store/schema.ts';
import type { ClusterRow } from './clusters.repository.ts';
import type { Heard } from './heard.ts';

/** SQL over the session and lease columns of `clusters`. */
@Injectable()
export class SessionsRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  /** A session becomes the cluster's; undefined: the cluster is gone. Whoever had it before is fenced by the next write. */
  takeSession(
    trx: Trx,
    id: string,
    session: {
      sessionId: string;
      replicaId: string;
      instanceId: string;
      leaseSeconds: number;
      keySetVersion: bigint;
    },
  ): Promise<ClusterRow | undefined> {
    return trx
      .updateTable('clusters')
      .set({
        session_id: session.sessionId,
        replica_id: session.replicaId,
        instance_id: session.instanceId,
        lease_seconds: session.leaseSeconds,
        key_set_version: sql<bigint>`greatest(key_set_version, ${session.keySetVersion}::bigint)`,
        connected_at: sql<Date>`now()`,
        last_seen_at: sql<Date>`now()`,
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
  }

  /** A stream that ended by itself gives its session back; false: another has it by now. */
  async leaveSession(trx: Trx, id: string, sessionId: string): Promise<boolean> {
    const { numUpdatedRows } = await trx
      .updateTable('clusters')
      .set({ session_id: null, replica_id: null })
      .where('id', '=', id)
      .where('session_id', '=', sessionId)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** The session that each of these clusters has now. */
  async sessions(ids: string[]): Promise<Map<string, string | null>> {
    const rows = await this.#db
      .selectFrom('clusters')
      .select(['id', 'session_id'])
      .where('id', '=', sql<string>`any(${ids}::uuid[])`)
      .execute();
    return new Map(rows.map((row) => [row.id, row.session_id]));
  }

  /** Names of clusters whose lease ended within the last so many seconds. */
  async newlySilent(withinSeconds: number): Promise<string[]> {
    const found = await sql<{ name: string }>`
      select name from clusters c where ${endedWithin(withinSeconds)}`.execute(this.#db);
    return found.rows.map((row) => row.name);
  }

  /** Marks everyone heard since the last flush, in one statement; sessions that were fenced do not count. */
  async seen(heard: ReadonlyMap<string, Heard>): Promise<void> {
    const all = [...heard.values()];
    await sql`
      update clusters set last_seen_at = now(), clock_offset_ms = coalesce(heard.clock_offset_ms, clusters.clock_offset_ms)
      from unnest(${[...heard.keys()]}::uuid[], ${all.map(({ sessionId }) => sessionId)}::text[],
        ${all.map(({ clockOffsetMs }) => boundOffset(clockOffsetMs))}::bigint[]) as heard(id, session_id, clock_offset_ms)
      where clusters.id = heard.id and clusters.session_id = heard.session_id`.execute(this.#db);
  }

  /** How many clusters that can be heard have a clock that is off by more than so long. */
  async clocksOff(byMs: number): Promise<number> {
    const { rows } = await sql<{ off: number }>`
      select count(*)::int as off from clusters c where abs(clock_offset_ms) > ${byMs} and ${LEASE_ENDS} > now()`.execute(
      this.#db,
    );
    return rows[0]?.off ?? 0;
  }
}

/** Some decades: what an agent says is not believed to be any number. */
const MAX_OFFSET_MS = 1e12;

function boundOffset(offsetMs: number | undefined): number | null {
  if (offsetMs === undefined || !Number.isFinite(offsetMs)) return null;
  return Math.round(Math.min(MAX_OFFSET_MS, Math.max(-MAX_OFFSET_MS, offsetMs)));
}
