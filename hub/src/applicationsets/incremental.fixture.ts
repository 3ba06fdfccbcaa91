/** Two hubs with the same clusters and set: one remembers its expansions, the other begins anew each time. */
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { ApplicationRecords } from '../applications/application-records.service.ts';
import { type TestHub, startTestHub } from '../applications/pipeline.fixture.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { QueueRunner } from '../queue/queue.module.ts';
import { ApplicationSetsRepository } from './applicationsets.repository.ts';
import { ExpansionResults } from './expansion-results.service.ts';
import { ExpansionService } from './expansion.service.ts';
import { IncrementalExpansion } from './incremental-expansion.service.ts';
import { type GenerationInput, SetGeneration } from './set-generation.service.ts';
import { SetManifests } from './set-manifests.ts';
import { SetRepositories } from './set-repositories.ts';

/** A replica: expands when told, past the queue. */
export interface Replica {
  expand(setId: string): Promise<void>;
  /** How many clusters each expansion so far was over. */
  over: number[];
}

export function replica(hub: TestHub): Replica {
  const get = <T>(token: new (...of: never[]) => T): T =>
    hub.running.app.get<T>(token as never, { strict: false });
  const over: number[] = [];
  const generation = get(SetGeneration);
  const counting = Object.assign(Object.create(generation) as SetGeneration, {
    registered: () => generation.registered(),
    generate: async (input: GenerationInput, signal: AbortSignal) => {
      over.push(input.clusters?.length ?? -1);
      return generation.generate(input, signal);
    },
  });
  const [repository, records, results] = [
    get(ApplicationSetsRepository),
    get(ApplicationRecords),
    get(ExpansionResults),
  ];
  const incremental = new IncrementalExpansion(
    repository,
    records,
    counting,
    results,
    get(ClustersService),
    get(ProjectsService),
  );
  const service = new ExpansionService(
    repository,
    get(SetManifests),
    counting,
    results,
    get(SetRepositories),
    incremental,
    records,
  );
  const context = { signal: new AbortController().signal, payload: {}, complete: async () => undefined };
  return { over, expand: async (setId) => void (await service.expand(setId, context)) };
}

/** A hub that does nothing by itself: sets are expanded by the test alone. Removals wait for ten minutes. */
export async function startQuietHub(folder: string, name: string): Promise<TestHub> {
  const hub = await startTestHub(join(folder, name), { MUSTER_DELETION_GRACE_SECONDS: '600' });
  await hub.running.app.get(QueueRunner, { strict: false }).beforeApplicationShutdown();
  return hub;
}

/** Waits until no transaction is open, of any database of the server, that changes so far might be later than. */
export async function settled(hub: TestHub): Promise<void> {
  await hub.eventually(async () => {
    const { rows } = await sql<{ past: boolean }>`
      select coalesce(max(changed), '0'::xid8) < pg_snapshot_xmin(pg_current_snapshot()) as past
      from (select changed from cluster_changes union all select changed from applications) as all_changes`.execute(
      hub.db,
    );
    expect(rows[0]!.past).toBe(true);
  });
}

/** Everything of a set and its Applications that an expansion decides on, without what differs from hub to hub. */
export async function outcome(hub: TestHub, name: string): Promise<unknown> {
  const { rows } = await sql`
    select a.name, a.manifest_hash, a.version::int, a.labels, a.project, a.leaving_at is not null as leaving, a.leaving_action,
      a.held_reason, a.leaving_counted, a.restored_from is not null as restored, a.set_id is not null as owned
    from applications a order by a.name`.execute(hub.db);
  const sets = await hub.db
    .selectFrom('application_sets')
    .select(['conditions', 'expanded_version', 'version'])
    .where('name', '=', name)
    .execute();
  const conditions = sets.map(({ conditions: all, ...rest }) => ({
    ...rest,
    conditions: all.map(({ lastTransitionTime: _, ...one }) => one),
  }));
  return { rows, conditions };
}
