import { type FactEvent, type Rollout, type Target, openMeasurements } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { requestWork } from '../../queue/outbox.repository.ts';
import { DATABASE, type Db } from '../../store/database.ts';
import type { Labels, Row, Schema, Trx } from '../../store/schema.ts';

export type MeasurementRow = Row<'gate_measurements'>;

const QUEUE = 'gates';
const keyOf = (id: string) => `gate:${id}`;

/** Has exactly what is open of a rollout measured: rows are made for new rounds, and go with those that are over. */
export async function keepMeasurements(trx: Trx, rollout: Rollout): Promise<void> {
  if (!rollout.policy.stages.some(({ gates }) => gates.some(isMeasured))) return;
  const open = openMeasurements(rollout);
  const columns = [
    open.map(({ stage }) => stage),
    open.map(({ gate }) => gate.name),
    open.map(({ round }) => round),
  ] as const;
  const listed = sql`unnest(${columns[0]}::text[], ${columns[1]}::text[], ${columns[2]}::int[]) as k (stage, gate, round)`;
  await sql`
    delete from gate_measurements m where rollout_id = ${rollout.id}
      and not exists (select from ${listed} where k.stage = m.stage and k.gate = m.gate and k.round = m.round)
  `.execute(trx);
  if (open.length === 0) return;
  const { rows } = await sql<{ id: string }>`
    insert into gate_measurements (rollout_id, stage, gate, round)
    select ${rollout.id}::uuid, k.stage, k.gate, k.round from ${listed}
    on conflict do nothing returning id
  `.execute(trx);
  if (rows.length > 0)
    await ask(
      trx,
      rows.map(({ id }) => id),
      null,
    );
}

function isMeasured({ kind }: Rollout['policy']['stages'][number]['gates'][number]): boolean {
  return kind === 'http' || kind === 'prometheus' || kind === 'job';
}

/** Takes what was measured since the last step; each result is taken once, and has the next one measured. */
export async function takeMeasured(trx: Trx, rolloutId: string): Promise<FactEvent[]> {
  const { rows } = await sql<{
    id: string;
    stage: string;
    gate: string;
    round: number;
    verdict: 'ok' | 'bad' | 'unknown';
    detail: string | null;
    due_at: Date;
  }>`
    update gate_measurements set verdict = null, detail = null
    where rollout_id = ${rolloutId} and verdict is not null
    returning id, stage, gate, round, old.verdict, old.detail, due_at
  `.execute(trx);
  for (const { id, due_at } of rows) await ask(trx, [id], due_at);
  return rows
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ stage, gate, round, verdict, detail }) => ({
      kind: 'gate',
      stage,
      gate,
      round,
      verdict,
      detail: detail ?? '',
    }));
}

async function ask(trx: Trx, ids: readonly string[], notBefore: Date | null): Promise<void> {
  await requestWork(trx, QUEUE, ids.map(keyOf), { payload: '{}', notBefore, promptly: false, joins: false });
}

/** A target of the stage that is measured. */
export interface MeasuredTarget {
  target: Target;
  clusterId: string;
  cluster: string;
  clusterLabels: Labels;
  namespace: string;
  name: string;
}

/** SQL over `gate_measurements`, and what is measured by. */
@Injectable()
export class GatesRepository {
  constructor(@Inject(DATABASE) readonly db: Db) {}

  find(id: string, db: Kysely<Schema> = this.db): Promise<MeasurementRow | undefined> {
    return db.selectFrom('gate_measurements').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** Takes a measurement that is due, for so long; undefined: another replica has it, or it is not due. */
  async claim(id: string, claim: string, seconds: number): Promise<MeasurementRow | undefined> {
    const { rows } = await sql<MeasurementRow>`
      update gate_measurements set claim = ${claim}::uuid, claimed_until = now() + make_interval(secs => ${seconds})
      where id = ${id} and due_at <= now() + interval '50 milliseconds' and verdict is null and (claimed_until is null or claimed_until < now())
      returning *
    `.execute(this.db);
    return rows[0];
  }

  /** Whether a claim still holds, in the transaction that writes what came of it. */
  async holds(trx: Trx, { id, claim }: MeasurementRow): Promise<boolean> {
    const row = await trx
      .selectFrom('gate_measurements')
      .select('id')
      .where('id', '=', id)
      .where('claim', '=', claim)
      .forUpdate()
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Goes on measuring. */
  async keep({ id, claim }: MeasurementRow, seconds: number): Promise<void> {
    await sql`
      update gate_measurements set claimed_until = now() + make_interval(secs => ${seconds})
      where id = ${id} and claim = ${claim}::uuid
    `.execute(this.db);
  }

  /** Leaves it to others at once. */
  async release({ id, claim }: MeasurementRow): Promise<void> {
    await this.db
      .updateTable('gate_measurements')
      .set({ claim: null, claimed_until: null })
      .where('id', '=', id)
      .where('claim', '=', claim)
      .execute();
  }

  /** Lets go of what was claimed: without a result, to be taken up again then. */
  async proceed(
    trx: Trx,
    row: MeasurementRow,
    next: { seconds: number; progress: Record<string, unknown> },
  ): Promise<void> {
    const { rows } = await sql<{ due_at: Date }>`
      update gate_measurements set claim = null, claimed_until = null, progress = ${JSON.stringify(next.progress)}::jsonb,
        due_at = now() + make_interval(secs => ${next.seconds})
      where id = ${row.id} and claim = ${row.claim}::uuid returning due_at
    `.execute(trx);
    if (rows[0]) await ask(trx, [row.id], rows[0].due_at);
  }

  /** Writes a result, for the rollout to take. */
  async finish(
    trx: Trx,
    row: MeasurementRow,
    result: {
      verdict: 'ok' | 'bad' | 'unknown';
      detail: string;
      seconds: number;
      progress: Record<string, unknown>;
    },
  ): Promise<void> {
    await sql`
      update gate_measurements set claim = null, claimed_until = null, verdict = ${result.verdict}, detail = ${result.detail},
        progress = ${JSON.stringify(result.progress)}::jsonb, due_at = now() + make_interval(secs => ${result.seconds})
      where id = ${row.id} and claim = ${row.claim}::uuid
    `.execute(trx);
  }

  /** Measurements that nothing will take up: their jobs are gone. */
  async forgotten(): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select id from gate_measurements m where verdict is null and due_at < now() - interval '30 seconds'
        and (claimed_until is null or claimed_until < now())
        and not exists (select from outbox where queue = ${QUEUE} and key = 'gate:' || m.id)
    `.execute(this.db);
    return rows.map(({ id }) => id);
  }

  ask(trx: Trx, ids: readonly string[]): Promise<void> {
    return ask(trx, ids, null);
  }

  /** The rollout, without its targets. */
  async rollout(id: string): Promise<Rollout | undefined> {
    const row = await this.db.selectFrom('rollouts').select('state').where('id', '=', id).executeTakeFirst();
    return row?.state as Rollout | undefined;
  }

  /** Targets of a stage whose clusters are there, in their order. */
  async targets(rolloutId: string, stage: number): Promise<MeasuredTarget[]> {
    const { rows } = await sql<{
      data: Target;
      cluster_id: string;
      cluster: string;
      labels: Labels;
      namespace: string;
      name: string;
    }>`
      select t.data, t.cluster_id, c.name as cluster, c.labels, t.application_namespace as namespace, t.application_name as name
      from rollout_targets t join clusters c on c.id = t.cluster_id
      where t.rollout_id = ${rolloutId} and t.stage = ${stage} and t.state <> 'gone'
    `.execute(this.db);
    return rows
      .map(({ data, cluster_id, labels, ...rest }) => ({
        ...rest,
        target: data,
        clusterId: cluster_id,
        clusterLabels: labels,
      }))
      .sort((a, b) => a.target.position - b.target.position);
  }
}
