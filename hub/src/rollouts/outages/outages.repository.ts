import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../../store/database.ts';
import { LISTENS } from '../../store/notifications.ts';
import type { Schema } from '../../store/schema.ts';

/** Unix milliseconds of this hub's clock. */
export interface Outage {
  fromMs: number;
  untilMs: number;
}

/** Alive, or working on its queue too. */
export type Beat = 'hub' | 'queue';

/** How far the clocks of hub and database may be apart. */
const CLOCKS_DIFFER_MINUTES = 60;

/** SQL over `hub_beats` and `hub_outages`. Gaps are measured by the database's clock: replicas need not agree on theirs. */
@Injectable()
export class OutagesRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Notes a beat; where none came for longer than `gapSeconds`, that was an outage. Answers whether it was. */
  async beat(kind: Beat, gapSeconds: number): Promise<boolean> {
    return this.db.transaction().execute(async (trx) => {
      await sql`insert into hub_beats (kind) values (${kind}) on conflict do nothing`.execute(trx);
      await sql`select from hub_beats where kind = ${kind} for update`.execute(trx);
      const { numAffectedRows } = await sql`
        insert into hub_outages (kind, from_at, until_at)
        select kind, beat_at, clock_timestamp() from hub_beats
        where kind = ${kind} and beat_at < clock_timestamp() - make_interval(secs => ${gapSeconds}::int)
        on conflict do nothing
      `.execute(trx);
      await sql`update hub_beats set beat_at = clock_timestamp() where kind = ${kind}`.execute(trx);
      return (numAffectedRows ?? 0n) > 0n;
    });
  }

  /**
   * A hub begins to work that was made `startedMsAgo`. Where no other one was there, the time since the last beat was an
   * outage, however short it was. Answers whether it was.
   */
  async begin(kind: Beat, startedMsAgo: number): Promise<boolean> {
    return this.db.transaction().execute(async (trx) => {
      await sql`select from hub_beats where kind = ${kind} for update`.execute(trx);
      const { numAffectedRows } = await sql`
        insert into hub_outages (kind, from_at, until_at)
        select kind, beat_at, clock_timestamp() from hub_beats
        where kind = ${kind} and beat_at < clock_timestamp() and not exists (
          select from pg_stat_activity where datname = current_database() and application_name = ${LISTENS}
            and backend_start < clock_timestamp() - make_interval(secs => ${startedMsAgo / 1000}::float8))
        on conflict do nothing
      `.execute(trx);
      const isOutage = (numAffectedRows ?? 0n) > 0n;
      // Another one may begin at the same time, and be the first of them.
      if (isOutage)
        await sql`update hub_beats set beat_at = clock_timestamp() where kind = ${kind}`.execute(trx);
      return isOutage;
    });
  }

  async forget(olderThanDays: number): Promise<void> {
    await sql`delete from hub_outages where until_at < now() - make_interval(days => ${olderThanDays}::int)`.execute(
      this.db,
    );
  }

  /** Outages that ended after a time of this hub's clock, and those that nobody has noted yet. They may overlap. */
  async since(
    db: Kysely<Schema>,
    afterMs: number,
    gapSeconds: Readonly<Record<Beat, number>>,
  ): Promise<Outage[]> {
    const { rows } = await sql<{ from_ago: number; until_ago: number }>`
      with told as (select clock_timestamp() as now)
      select extract(epoch from now - from_at)::float8 * 1000 as from_ago, extract(epoch from now - until_at)::float8 * 1000 as until_ago
      from told, hub_outages where until_at > ${new Date(afterMs)}::timestamptz - make_interval(mins => ${CLOCKS_DIFFER_MINUTES}::int)
      union all
      select extract(epoch from now - beat_at)::float8 * 1000, 0 from told, hub_beats
      where beat_at < now - make_interval(secs => case kind when 'hub' then ${gapSeconds.hub}::int else ${gapSeconds.queue}::int end)
    `.execute(db);
    const now = Date.now();
    return rows.map((row) => ({ fromMs: now - row.from_ago, untilMs: now - row.until_ago }));
  }
}
