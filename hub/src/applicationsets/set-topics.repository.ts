import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type { Trx } from '../store/schema.ts';

/** What the generators of sets ask besides clusters and Git (generators/topics.ts). */
@Injectable()
export class SetTopicsRepository {
  /** Replaces the topics of a set. */
  async write(trx: Trx, setId: string, topics: readonly string[]): Promise<void> {
    await trx.deleteFrom('application_set_topics').where('set_id', '=', setId).execute();
    if (topics.length === 0) return;
    await sql`insert into application_set_topics (set_id, topic) select ${setId}::uuid, unnest(${topics}::text[])`.execute(
      trx,
    );
  }

  /** The sets that follow one of the topics. */
  async following(trx: Trx, topics: readonly string[]): Promise<string[]> {
    const rows = await trx
      .selectFrom('application_set_topics')
      .select('set_id')
      .distinct()
      .where(sql<boolean>`topic = any(${topics}::text[])`)
      .execute();
    return rows.map((row) => row.set_id);
  }
}
