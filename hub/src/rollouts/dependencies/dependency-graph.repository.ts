import type { Dependency } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';

/** An Application as far as others can wait for it. */
export interface GraphNode {
  namespace: string;
  name: string;
  /** `namespace/name` of its set; null: applied directly. */
  set: string | null;
  /** As written: the name of a cluster, or its server. */
  destination: string;
  dependencies: readonly Dependency[];
}

/** Reads of who waits for whom, some steps of the graph at a time. */
@Injectable()
export class DependencyGraph {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Until the transaction ends nobody else adds to the graph. */
  async lock(db: Kysely<Schema>): Promise<void> {
    await sql`select pg_advisory_xact_lock(hashtext('muster dependencies'))`.execute(db);
  }

  /** Applications by name (`namespace/name`); those that there are not are left out. */
  async nodes(db: Kysely<Schema>, names: readonly string[]): Promise<GraphNode[]> {
    if (names.length === 0) return [];
    const split = names.map((name) => name.split('/') as [string, string]);
    const { rows } = await sql<{
      namespace: string;
      name: string;
      set: string | null;
      destination: string;
      dependencies: Dependency[];
    }>`
      select a.namespace, a.name, s.namespace || '/' || s.name as set, coalesce(c.name, a.destination) as destination,
        coalesce((select jsonb_agg(jsonb_build_object('kind', d.kind, 'namespace', d.namespace, 'name', d.name, 'stage', d.stage)
          order by d.kind, d.namespace, d.name, d.stage) from application_dependencies d where d.application_id = a.id), '[]') as dependencies
      from unnest(${split.map(([namespace]) => namespace)}::text[], ${split.map(([, name]) => name)}::text[]) as w (namespace, name)
      join applications a on a.namespace = w.namespace and a.name = w.name
      left join application_sets s on s.id = a.set_id
      left join clusters c on c.id = a.cluster_id
    `.execute(db);
    return rows;
  }

  /** Names of the Applications that sets have at destinations; by their place in what was asked. */
  async ofSets(
    db: Kysely<Schema>,
    asked: readonly { namespace: string; name: string; destination: string }[],
  ): Promise<string[][]> {
    const out: string[][] = asked.map(() => []);
    if (asked.length === 0) return out;
    const { rows } = await sql<{ at: number; name: string }>`
      select w.at::int as at, a.namespace || '/' || a.name as name
      from unnest(${asked.map((_, i) => i)}::int[], ${asked.map((one) => one.namespace)}::text[],
        ${asked.map((one) => one.name)}::text[], ${asked.map((one) => one.destination)}::text[]) as w (at, namespace, name, destination)
      join application_sets s on s.namespace = w.namespace and s.name = w.name
      join applications a on a.set_id = s.id
      left join clusters c on c.id = a.cluster_id
      where w.destination in (a.destination, c.name, c.server)
      order by 1, 2
    `.execute(db);
    for (const { at, name } of rows) out[at]!.push(name);
    return out;
  }
}
