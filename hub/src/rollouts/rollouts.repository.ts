import type { LogEntry, Rollout, RolloutEvent, RolloutState, Target, Transition } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Owner } from '../releases/owner.ts';
import { DATABASE } from '../store/database.ts';
import type { RolloutsTable, Schema, Trx } from '../store/schema.ts';
import { keepMeasurements } from './gates/gates.repository.ts';
import type { Content, TargetIds } from '../releases/targets.ts';

export type RolloutRow = Selectable<RolloutsTable>;

/** A rollout without the states that are large. */
export type RolloutLine = Omit<RolloutRow, 'begun'>;

/** A target with what its id stands for, and what it goes back to. */
export interface TargetRecord extends TargetIds {
  namespace: string;
  name: string;
  target: Target;
  proven: Content | null;
}

export interface NewRollout {
  owner: Owner;
  ownerName: string;
  project: string;
  state: RolloutState;
  targets: readonly TargetRecord[];
}

/** What a rollout was frozen with; `after`: how much was logged of it while it waited for its turn. */
interface Begun {
  rollout: Rollout;
  targets: Target[];
  after?: number;
}

/** One step as it is kept. */
export interface LoggedStep {
  entry: LogEntry;
  transitions: Transition[];
}

const LINE = [
  'id',
  'owner_kind',
  'owner_id',
  'owner_name',
  'project',
  'kind',
  'policy',
  'phase',
  'state',
  'from_release',
  'to_release',
  'entries',
  'wake_at',
  'created_at',
  'ended_at',
] as const;

/** SQL over `rollouts`, `rollout_targets` and `rollout_log`. */
@Injectable()
export class RolloutsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  async newId(trx: Trx): Promise<string> {
    const { rows } = await sql<{ id: string }>`select uuidv7() as id`.execute(trx);
    return rows[0]!.id;
  }

  find(id: string, db: Kysely<Schema> = this.db): Promise<RolloutLine | undefined> {
    return db.selectFrom('rollouts').select(LINE).where('id', '=', id).executeTakeFirst();
  }

  lock(trx: Trx, id: string): Promise<RolloutLine | undefined> {
    return trx.selectFrom('rollouts').select(LINE).where('id', '=', id).forUpdate().executeTakeFirst();
  }

  /** Those of an owner that have not ended, oldest first. */
  open(db: Kysely<Schema>, ownerId: string): Promise<RolloutLine[]> {
    return db
      .selectFrom('rollouts')
      .select(LINE)
      .where('owner_id', '=', ownerId)
      .where('ended_at', 'is', null)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
  }

  async targets(db: Kysely<Schema>, rolloutId: string): Promise<TargetRecord[]> {
    const rows = await db
      .selectFrom('rollout_targets')
      .selectAll()
      .where('rollout_id', '=', rolloutId)
      .execute();
    return rows.map((row) => ({
      applicationId: row.application_id,
      clusterId: row.cluster_id,
      namespace: row.application_namespace,
      name: row.application_name,
      target: row.data as Target,
      proven:
        row.proven_digest === null
          ? null
          : {
              releaseId: row.proven_release,
              digest: row.proven_digest,
              bundleDigest: row.proven_bundle,
              commit: row.proven_commit,
              commits: row.proven_commits,
            },
    }));
  }

  /** Writes a rollout and its targets; one that waited for its turn is written over, and what was logged of it until then counts no more. */
  async begin(trx: Trx, { owner, ownerName, project, state, targets }: NewRollout): Promise<void> {
    const { rollout } = state;
    const begun = JSON.stringify({ rollout, targets: [...state.targets.values()] });
    await sql`
      insert into rollouts (id, owner_kind, owner_id, owner_name, project, kind, policy, phase, state, begun, from_release, to_release, created_at)
      values (${rollout.id}, ${owner.kind}, ${owner.id}, ${ownerName}, ${project}, ${rollout.kind}, ${rollout.policy.name}, ${rollout.phase},
        ${JSON.stringify(rollout)}::jsonb, ${begun}::jsonb, ${rollout.from?.id ?? null}, ${rollout.to.id}, ${new Date(rollout.createdAt)})
      on conflict (id) do update set phase = excluded.phase, state = excluded.state, from_release = excluded.from_release,
        begun = excluded.begun || jsonb_build_object('after', rollouts.entries), entries = rollouts.entries + 1
    `.execute(trx);
    await this.writeTargets(trx, rollout.id, targets);
  }

  async writeTargets(trx: Trx, rolloutId: string, records: readonly TargetRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += 1000) {
      const batch = records.slice(at, at + 1000);
      const proven = <K extends keyof Content>(name: K) => batch.map((one) => one.proven?.[name] ?? null);
      await sql`
        insert into rollout_targets (rollout_id, target_id, application_id, cluster_id, application_namespace, application_name, state,
          stage, connected, data, proven_release, proven_digest, proven_bundle, proven_commit, proven_commits)
        select ${rolloutId}::uuid, * from unnest(${batch.map((one) => one.target.id)}::text[], ${batch.map((one) => one.applicationId)}::uuid[],
          ${batch.map((one) => one.clusterId)}::uuid[], ${batch.map((one) => one.namespace)}::text[], ${batch.map((one) => one.name)}::text[],
          ${batch.map((one) => one.target.state)}::text[], ${batch.map((one) => one.target.stage)}::int[],
          ${batch.map((one) => one.target.connected)}::boolean[], ${batch.map((one) => JSON.stringify(one.target))}::jsonb[],
          ${proven('releaseId')}::uuid[], ${proven('digest')}::text[], ${proven('bundleDigest')}::text[], ${proven('commit')}::text[],
          ${batch.map((one) => (one.proven?.commits ? JSON.stringify(one.proven.commits) : null))}::jsonb[])
        on conflict (rollout_id, target_id) do update set state = excluded.state, stage = excluded.stage,
          connected = excluded.connected, data = excluded.data, application_id = excluded.application_id, cluster_id = excluded.cluster_id,
          proven_release = excluded.proven_release, proven_digest = excluded.proven_digest, proven_bundle = excluded.proven_bundle,
          proven_commit = excluded.proven_commit, proven_commits = excluded.proven_commits
      `.execute(trx);
    }
  }

  /** Writes what a step came to; `entries`: how many were logged before. */
  async save(
    trx: Trx,
    rollout: Rollout,
    ended: boolean,
    steps: readonly LoggedStep[],
    entries: bigint,
    wakeAt: Date | null,
  ): Promise<void> {
    await sql`
      update rollouts set phase = ${rollout.phase}, state = ${JSON.stringify(rollout)}::jsonb, wake_at = ${wakeAt},
        entries = ${String(entries + BigInt(steps.length))}::bigint,
        ended_at = case when ${ended} then coalesce(ended_at, ${new Date(rollout.since)}::timestamptz) end
      where id = ${rollout.id}
    `.execute(trx);
    if (steps.length > 0)
      await sql`
        insert into rollout_log (rollout_id, seq, at, events, transitions)
        select ${rollout.id}::uuid, * from unnest(${steps.map((_, i) => String(entries + BigInt(i) + 1n))}::bigint[],
          ${steps.map(({ entry }) => new Date(entry.at))}::timestamptz[], ${steps.map(({ entry }) => JSON.stringify(entry.events))}::jsonb[],
          ${steps.map(({ transitions }) => JSON.stringify(transitions))}::jsonb[])
      `.execute(trx);
    await keepMeasurements(trx, rollout);
    if (ended)
      await sql`update rollout_targets set live = false where rollout_id = ${rollout.id}`.execute(trx);
  }

  async begun(db: Kysely<Schema>, id: string): Promise<Begun | undefined> {
    const row = await db.selectFrom('rollouts').select('begun').where('id', '=', id).executeTakeFirst();
    return row?.begun as Begun | undefined;
  }

  /** Steps after one, oldest first. */
  async log(
    db: Kysely<Schema>,
    id: string,
    after: bigint,
    limit: number,
  ): Promise<(LoggedStep & { seq: bigint })[]> {
    const rows = await db
      .selectFrom('rollout_log')
      .selectAll()
      .where('rollout_id', '=', id)
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(limit)
      .execute();
    return rows.map(({ seq, at, events, transitions }) => ({
      seq,
      entry: { at: at.getTime(), events: events as RolloutEvent[] },
      transitions: transitions as Transition[],
    }));
  }

  /** Forgets the oldest ended rollouts of an owner. */
  async trim(trx: Trx, ownerId: string, keep: number): Promise<void> {
    await sql`
      delete from rollouts where id in (select id from rollouts where owner_id = ${ownerId} and ended_at is not null
        and not exists (select from target_holds where rollout_id = rollouts.id) order by created_at desc, id desc offset ${keep})
    `.execute(trx);
  }

  /** Of those with these ids, the ones in some projects. */
  async visible(ids: readonly string[], projects: readonly string[]): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select id from rollouts where id::text = any(${ids}::text[]) and project = any(${projects}::text[])
    `.execute(this.db);
    return rows.map((row) => row.id);
  }

  /** The newest of an owner called `namespace/name`. */
  async newestOf(ownerName: string): Promise<RolloutLine | undefined> {
    return this.db
      .selectFrom('rollouts')
      .select(LINE)
      .where('owner_name', '=', ownerName)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
  }
}
