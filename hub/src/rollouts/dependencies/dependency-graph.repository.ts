import type { Dependency } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { DATABASE } from '../../store/database.ts';
import type { Labels, Schema } from '../../store/schema.ts';
import type { GraphNode, GraphReads } from './circle-search.ts';

/** Reads of who waits for whom, some steps of the graph at a time. */
@Injectable()
export class DependencyGraph {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Until the transaction ends nobody else adds to the graph. */
  async lock(db: Kysely<Schema>): Promise<void> {
    await sql`select pg_advisory_xact_lock(hashtext('muster dependencies'))`.execute(db);
  }

  /** Whether any Application says that it waits for others. */
  async any(db: Kysely<Schema>): Promise<boolean> {
    const row = await db.selectFrom('application_dependencies').select('name').limit(1).executeTakeFirst();
    return row !== undefined;
  }

  /** The reads of one search. */
  in(db: Kysely<Schema>): GraphReads {
    return {
      nodes: (names) => this.#nodes(db, names),
      membersOf: (sets) => this.#membersOf(db, sets),
      ofSets: (asked) => this.#ofSets(db, asked),
    };
  }

  /** Labels of the clusters at destinations, by name or server. */
  async clusterLabels(db: Kysely<Schema>, destinations: readonly string[]): Promise<Map<string, Labels>> {
    if (destinations.length === 0) return new Map();
    const wanted = [...new Set(destinations)];
    const { rows } = await sql<{ destination: string; labels: Labels }>`
      select w.destination, c.labels from unnest(${wanted}::text[]) as w (destination)
      join clusters c on c.name = w.destination or c.server = w.destination
    `.execute(db);
    return new Map(rows.map((row) => [row.destination, row.labels]));
  }

  async #nodes(db: Kysely<Schema>, names: readonly string[]): Promise<GraphNode[]> {
    if (names.length === 0) return [];
    const [spaces, own] = split(names);
    return this.#read(
      db,
      sql`unnest(${spaces}::text[], ${own}::text[]) as w (namespace, name)
      join applications a on a.namespace = w.namespace and a.name = w.name
      left join application_sets s on s.id = a.set_id`,
    );
  }

  async #membersOf(db: Kysely<Schema>, sets: readonly string[]): Promise<GraphNode[]> {
    if (sets.length === 0) return [];
    const [spaces, own] = split(sets);
    return this.#read(
      db,
      sql`unnest(${spaces}::text[], ${own}::text[]) as w (namespace, name)
      join application_sets s on s.namespace = w.namespace and s.name = w.name
      join applications a on a.set_id = s.id`,
    );
  }

  async #read(db: Kysely<Schema>, from: RawBuilder<unknown>): Promise<GraphNode[]> {
    const { rows } = await sql<GraphNode>`
      select a.namespace, a.name, s.namespace || '/' || s.name as set, coalesce(c.name, a.destination) as destination,
        a.labels, coalesce(c.labels, '{}') as "clusterLabels", coalesce(d.dependencies, '[]') as dependencies
      from ${from}
      left join clusters c on c.id = a.cluster_id
      left join lateral (select jsonb_agg(jsonb_build_object('kind', d.kind, 'namespace', d.namespace, 'name', d.name, 'stage', d.stage)
        order by d.kind, d.namespace, d.name, d.stage) as dependencies from application_dependencies d where d.application_id = a.id) d on true
      order by a.namespace, a.name
    `.execute(db);
    return rows;
  }

  async #ofSets(
    db: Kysely<Schema>,
    asked: readonly { namespace: string; name: string; destination: string }[],
  ): Promise<Dependency[][]> {
    const out: Dependency[][] = asked.map(() => []);
    if (asked.length === 0) return out;
    const { rows } = await sql<{ at: number; namespace: string; name: string }>`
      select w.at::int as at, a.namespace, a.name
      from unnest(${asked.map((_, i) => i)}::int[], ${asked.map((one) => one.namespace)}::text[],
        ${asked.map((one) => one.name)}::text[], ${asked.map((one) => one.destination)}::text[]) as w (at, namespace, name, destination)
      join application_sets s on s.namespace = w.namespace and s.name = w.name
      join applications a on a.set_id = s.id
      left join clusters c on c.id = a.cluster_id
      where w.destination in (a.destination, c.name, c.server)
      order by 1, 2, 3
    `.execute(db);
    for (const { at, namespace, name } of rows) out[at]!.push({ kind: 'application', namespace, name });
    return out;
  }
}

function split(names: readonly string[]): [string[], string[]] {
  const parts = names.map((name) => name.split('/') as [string, string]);
  return [parts.map(([namespace]) => namespace), parts.map(([, name]) => name)];
}
