/** A whole hub on a fresh database, with a repository in a folder, for the tests of the pipeline. */
import { Assignment } from '@muster/proto';
import { join } from 'node:path';
import type { ApplyResult } from '@muster/api';
import type { KubeObject } from '@muster/kube';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { ApplicationViews } from './application-views.service.ts';
import { ApplyService } from './apply.service.ts';
import { ClusterChanges } from '../clusters/cluster-changes.ts';
import { type Config, readConfig } from '../config.ts';
import { type RunningHub, startHub } from '../hub.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import { SourcesService } from '../sources/sources.service.ts';
import type { Db } from '../store/database.ts';
import type { Row } from '../store/schema.ts';
import { makeRepository } from '../sources/repository.fixture.ts';
import { PATIENCE, TEST_CONNECTIONS, type TestDatabase, startTestDatabase } from '../testing/index.ts';

export interface TestHub {
  running: RunningHub;
  /** What it was started with. */
  config: Config;
  db: Db;
  /** The repository's URL. */
  url: string;
  /** Writes files (null deletes) and commits them; answers the commit. */
  commit(files: Record<string, string | Buffer | null>, message: string): string;
  git(...args: string[]): string;
  work: string;
  apply(documents: Record<string, unknown>[], dryRun?: boolean): Promise<ApplyResult>;
  cluster(name: string, labels?: Record<string, string>): Promise<string>;
  /** Has the repository (or another one) fetched, as a webhook would. */
  push(url?: string): Promise<void>;
  /** The assignment of an Application once there is one. */
  assignment(cluster: string, name: string): Promise<Row<'assignments'>>;
  /** The same, as it is signed. */
  assigned(cluster: string, name: string): Promise<Assignment>;
  app(name: string): ReturnType<ApplicationViews['get']>;
  objects(digest: string): Promise<KubeObject[]>;
  /** Waits until no work is left. */
  idle(): Promise<void>;
  eventually(check: () => unknown): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestHub(
  folder: string,
  env: Record<string, string> = {},
  logger = pino({ level: process.env.TEST_LOG ?? 'fatal' }),
): Promise<TestHub> {
  const database: TestDatabase = await startTestDatabase();
  const config = readConfig({
    DATABASE_URL: database.url,
    MUSTER_DATABASE_CONNECTIONS: String(TEST_CONNECTIONS),
    MUSTER_DATA_DIR: join(folder, 'data'),
    MUSTER_HTTP_PORT: '0',
    MUSTER_SESSION_PORT: '0',
    MUSTER_ENROL_PORT: '0',
    MUSTER_ALLOW_FILE_REPOSITORIES: 'true',
    MUSTER_POLL_SECONDS: '3600',
    MUSTER_DELETION_GRACE_SECONDS: '0',
    ...env,
  });
  const running = await startHub(config, logger);
  const main = makeRepository(folder, 'work');
  const { git, work } = main;
  const { db } = database;
  const { app } = running;
  const eventually = async (check: () => unknown) => {
    await vi.waitFor(check, PATIENCE);
  };
  const made: TestHub = {
    running,
    config,
    db,
    url: main.url,
    work,
    git,
    eventually,
    commit: main.commit,
    apply: (documents, dryRun = false) =>
      app.get(ApplyService, { strict: false }).apply({ documents, dryRun }, systemActor),
    async cluster(name, labels = {}) {
      const changes = app.get(ClusterChanges, { strict: false });
      return db.transaction().execute(async (trx) => {
        const { id } = await trx
          .insertInto('clusters')
          .values({
            name,
            server: `muster://${name}`,
            labels: JSON.stringify(labels),
            state: 'active',
            facts: JSON.stringify({ kubernetesVersion: 'v1.34.0', apiVersions: ['apps/v1', 'v1'] }),
          })
          .returning('id')
          .executeTakeFirstOrThrow();
        await changes.announce(trx, { ids: [id], kind: 'activated' });
        return id;
      });
    },
    async push(url = main.url) {
      const { id } = await db
        .selectFrom('repositories')
        .select('id')
        .where('url', '=', url)
        .executeTakeFirstOrThrow();
      await db.transaction().execute((trx) => app.get(SourcesService, { strict: false }).ask(trx, [id]));
    },
    async assignment(cluster, name) {
      const read = () =>
        db
          .selectFrom('assignments as a')
          .innerJoin('clusters as c', 'c.id', 'a.cluster_id')
          .selectAll('a')
          .where('c.name', '=', cluster)
          .where('a.application_name', '=', name)
          .executeTakeFirst();
      await eventually(async () => expect(await read(), `the assignment of ${name}`).toBeDefined()).catch(
        async (thrown: unknown) => {
          const waiting = await db
            .selectFrom('outbox')
            .select(['queue', 'key', 'attempts', 'not_before'])
            .execute();
          const sets = await db.selectFrom('application_sets').select(['name', 'conditions']).execute();
          const apps = await db
            .selectFrom('applications')
            .select(['name', 'conditions', 'bundle_digest'])
            .where('name', '=', name)
            .execute();
          throw new Error(JSON.stringify({ waiting, sets, apps }), { cause: thrown });
        },
      );
      return (await read())!;
    },
    async assigned(cluster, name) {
      return Assignment.decode((await made.assignment(cluster, name)).payload);
    },
    app: (name) => app.get(ApplicationViews, { strict: false }).get(systemActor, 'argocd', name),
    objects: (digest) => app.get(BundlesService, { strict: false }).objects(digest),
    async idle() {
      await eventually(async () => {
        const rows = await db
          .selectFrom('outbox')
          .select(['queue', 'key'])
          .where('queue', '<>', 'maintenance')
          .execute();
        expect(rows).toEqual([]);
      });
    },
    async stop() {
      await running.stop();
      await database.stop();
    },
  };
  return made;
}

/** A ConfigMap of one key. */
export function configMap(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  key: ${value}\n`;
}

/** An automated Application of a path of the test repository. */
export function application(
  hub: Pick<TestHub, 'url'>,
  name: string,
  path: string,
  spec: Record<string, unknown> = {},
) {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name },
    spec: {
      project: 'default',
      source: { repoURL: hub.url, path, targetRevision: 'main' },
      destination: { name: 'dev', namespace: 'shop' },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
      ...spec,
    },
  };
}
