import { type RolloutPhase, TARGET_GROUPS, type TargetGroup } from '@muster/api';
import type { Target, TargetState, Transition } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { DATABASE } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import type { RolloutLine } from '../rollouts.repository.ts';
import type { TargetCount } from './rollout-brief.ts';

export interface ListedRollout extends RolloutLine {
  urgency: number;
}

export interface RolloutFilter {
  projects: '*' | string[];
  open: boolean;
  owner?: string | undefined;
  search?: string | undefined;
  phase?: RolloutPhase | undefined;
  project?: string | undefined;
}

export interface ReleaseFacts {
  id: string;
  number: bigint;
  commit: string | null;
  message: string | null;
  author: string | null;
}

/** What is on its way, then what has stopped or waits, then what has ended. */
const URGENCY = sql<number>`case when phase in ('running', 'rolling-back') then 0 when ended_at is null then 1 else 2 end`;
const RANK = sql<number>`case ${sql.join(
  Object.values(TARGET_GROUPS).map(
    (states, i) => sql`when state = any(${[...states]}::text[]) then ${sql.lit(i)}::int`,
  ),
  sql` `,
)} else ${sql.lit(Object.keys(TARGET_GROUPS).length)}::int end`;
const POSITION = sql`(data->>'position')::int`;

/** SQL of what is shown of rollouts. */
@Injectable()
export class RolloutReadsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Newest first; `urgent`: those that somebody may have to act on before those. A cursor is urgency, time and id. */
  async page(
    filter: RolloutFilter,
    urgent: boolean,
    limit: number,
    after?: readonly [string, string, string],
  ): Promise<ListedRollout[]> {
    const where: RawBuilder<unknown>[] = [sql`true`];
    if (filter.projects !== '*') where.push(sql`project = any(${filter.projects}::text[])`);
    if (filter.project !== undefined) where.push(sql`project = ${filter.project}`);
    if (filter.open) where.push(sql`ended_at is null`);
    if (filter.phase !== undefined) where.push(sql`phase = ${filter.phase}`);
    if (filter.owner !== undefined) where.push(sql`owner_name = ${filter.owner}`);
    if (filter.search) where.push(sql`position(lower(${filter.search}) in lower(owner_name)) > 0`);
    const urgency = urgent ? URGENCY : sql<number>`0`;
    if (after)
      where.push(
        sql`(-(${urgency}), created_at, id) < (-(${after[0]}::int), ${after[1]}::timestamptz, ${after[2]}::uuid)`,
      );
    const { rows } = await sql<ListedRollout>`
      select id, owner_kind, owner_id, owner_name, project, kind, policy, phase, state, from_release, to_release, entries, wake_at,
        created_at, ended_at, ${urgency} as urgency
      from rollouts where ${sql.join(where, sql` and `)}
      order by ${urgent ? sql`${urgency},` : sql``} created_at desc, id desc limit ${limit}
    `.execute(this.db);
    return rows;
  }

  /** How many targets of some rollouts are in which state. */
  async counts(rolloutIds: readonly string[]): Promise<Map<string, TargetCount[]>> {
    const found = new Map<string, TargetCount[]>();
    if (rolloutIds.length === 0) return found;
    const { rows } = await sql<{
      rollout_id: string;
      stage: number | null;
      state: TargetState;
      connected: boolean;
      count: number;
    }>`
      select rollout_id, stage, state, connected, count(*)::int as count from rollout_targets
      where rollout_id = any(${rolloutIds}::uuid[]) group by rollout_id, stage, state, connected
    `.execute(this.db);
    for (const { rollout_id: id, ...count } of rows) found.set(id, [...(found.get(id) ?? []), count]);
    return found;
  }

  /** What is known of releases; those that are forgotten are missing. */
  async releases(ids: readonly string[]): Promise<Map<string, ReleaseFacts>> {
    if (ids.length === 0) return new Map();
    const rows = await this.db
      .selectFrom('releases')
      .select(['id', 'number', 'commit', 'message', 'author'])
      .where('id', 'in', [...ids])
      .execute();
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Releases of an owner that targets can be given, newest first. */
  async releasesOf(
    ownerId: string,
    limit: number,
  ): Promise<(ReleaseFacts & { cause: string; created_at: Date })[]> {
    return this.db
      .selectFrom('releases')
      .select(['id', 'number', 'cause', 'commit', 'message', 'author', 'created_at'])
      .where('owner_id', '=', ownerId)
      .orderBy('number', 'desc')
      .limit(limit)
      .execute();
  }

  /** A page of targets, by their group, their stage and their place in it; the cursor names those and the id. */
  async targets(
    rolloutId: string,
    filter: { search?: string | undefined; stage?: number | undefined; group?: TargetGroup | undefined },
    limit: number,
    after?: readonly [string, string, string, string],
  ): Promise<{ target: Target; key: [string, string, string, string] }[]> {
    const stage = sql`coalesce(stage, 2147483647)`;
    const where: RawBuilder<unknown>[] = [sql`rollout_id = ${rolloutId}`];
    if (filter.search) where.push(sql`position(lower(${filter.search}) in lower(target_id)) > 0`);
    if (filter.stage !== undefined) where.push(sql`stage = ${filter.stage}`);
    if (filter.group) where.push(sql`state = any(${[...TARGET_GROUPS[filter.group]]}::text[])`);
    if (after)
      where.push(
        sql`(${RANK}, ${stage}, ${POSITION}, target_id) > (${after[0]}::int, ${after[1]}::int, ${after[2]}::int, ${after[3]})`,
      );
    const { rows } = await sql<{ data: Target; target_id: string; rank: number; at_stage: number }>`
      select data, target_id, ${RANK} as rank, ${stage} as at_stage from rollout_targets
      where ${sql.join(where, sql` and `)} order by ${RANK}, ${stage}, ${POSITION}, target_id limit ${limit}
    `.execute(this.db);
    return rows.map(({ data, target_id, rank, at_stage }) => ({
      target: data,
      key: [String(rank), String(at_stage), String(data.position), target_id],
    }));
  }

  /** Steps before one, newest first. */
  async log(
    rolloutId: string,
    limit: number,
    before?: string,
  ): Promise<{ seq: bigint; transitions: Transition[] }[]> {
    const rows = await this.db
      .selectFrom('rollout_log')
      .select(['seq', 'transitions'])
      .where('rollout_id', '=', rolloutId)
      .$if(before !== undefined, (found) => found.where('seq', '<', BigInt(before!)))
      .orderBy('seq', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ seq, transitions }) => ({ seq, transitions: transitions as Transition[] }));
  }
}
