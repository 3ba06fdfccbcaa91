import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { ApplicationViews } from '../applications/application-views.service.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { AssignmentsService } from '../assignments/assignments.service.ts';

export const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';

export const project = (name: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: ${name}}\nspec: {sourceRepos: ["*"], destinations: [{server: "*", namespace: "*"}]}\n`;

/** A hub with one cluster, `dev`, and a repository with the folder `workload`, for the tests of a file; to be called at its top. */
export function rootsFixture() {
  let hub: TestHub;
  let dev: string;
  const folder = mkdtempSync(join(tmpdir(), 'muster-roots-'));
  beforeAll(async () => {
    hub = await startTestHub(folder);
    hub.commit({ 'workload/a.yaml': configMap }, 'what the children deploy');
    dev = await hub.cluster('dev', { env: 'dev' });
    // It is being heard.
    await hub.db
      .updateTable('clusters')
      .set({ last_seen_at: new Date(), lease_seconds: 3600 })
      .where('id', '=', dev)
      .execute();
  });
  afterAll(async () => {
    await hub?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    get hub() {
      return hub;
    },
    ...documents(() => hub),
    ...looks(() => hub),
    ...reports(
      () => hub,
      () => dev,
    ),
    /** Commits, and has it read once an Application has made the repository known. */
    async push(files: Parameters<TestHub['commit']>[0], message = 'change'): Promise<string> {
      const commit = hub.commit(files, message);
      if (await hub.db.selectFrom('repositories').select('id').executeTakeFirst()) await hub.push();
      return commit;
    },
  };
}

function documents(hub: () => TestHub) {
  return {
    /** A root over a folder of the repository. */
    root(name: string, path: string, spec: Record<string, unknown> = {}, metadata: object = {}) {
      const one = application(hub(), name, path, {
        destination: { server: 'https://kubernetes.default.svc', namespace: 'argocd' },
        ...spec,
      });
      return { ...one, metadata: { ...one.metadata, ...metadata } };
    },
    child: (name: string, options: ChildOptions = {}) => childYaml(hub().url, name, options),
  };
}

interface ChildOptions {
  wave?: number;
  path?: string;
  annotations?: Record<string, string>;
  extra?: string;
}

/** A child as YAML, deploying `workload` to dev. */
function childYaml(
  url: string,
  name: string,
  { wave, path = 'workload', annotations = {}, extra = '' }: ChildOptions,
): string {
  const all = {
    ...annotations,
    ...(wave === undefined ? {} : { 'argocd.argoproj.io/sync-wave': String(wave) }),
  };
  return `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  annotations: ${JSON.stringify(all)}
spec:
  project: default
  source: {repoURL: "${url}", path: ${path}, targetRevision: main}
  destination: {name: dev, namespace: shop}
  syncPolicy: {automated: {}}
${extra}`;
}

function looks(hub: () => TestHub) {
  const get = <T>(type: new (...args: never[]) => T): T => hub().running.app.get(type, { strict: false });
  return {
    get,
    names: async () =>
      (await hub().db.selectFrom('applications').select('name').orderBy('name').execute()).map(
        (row) => row.name,
      ),
    idOf: async (name: string) =>
      (
        await hub()
          .db.selectFrom('applications')
          .select('id')
          .where('name', '=', name)
          .executeTakeFirstOrThrow()
      ).id,
    resourcesOf: async (name: string) => {
      const { resources } = await get(ApplicationViews).resources(systemActor, 'argocd', name);
      return new Map(resources.map((one) => [`${String(one['kind'])} ${String(one['name'])}`, one]));
    },
    conditionsOf: async (name: string) => (await hub().app(name)).conditions,
  };
}

function reports(hub: () => TestHub, dev: () => string) {
  const { get } = looks(hub);
  return {
    /** Says of an Application on dev what its agent would, about what is assigned now. */
    async report(name: string, health: string, sync = 'Synced'): Promise<void> {
      const assigned = await hub().assignment('dev', name);
      const row = {
        epoch: assigned.epoch,
        generation: assigned.generation,
        bundle_digest: assigned.bundle_digest!,
        sync,
        health,
        observed_at: new Date(),
        sync_since: new Date(),
        health_since: new Date(),
      };
      await hub()
        .db.insertInto('target_status')
        .values({ cluster_id: dev(), application_namespace: 'argocd', application_name: name, ...row })
        .onConflict((conflict) =>
          conflict.columns(['cluster_id', 'application_namespace', 'application_name']).doUpdateSet(row),
        )
        .execute();
      await get(Events).publish('application', [`argocd/${name}`]);
    },
    /** Says that the agent has removed an Application. */
    async removed(name: string): Promise<void> {
      await hub().eventually(async () =>
        expect((await hub().assignment('dev', name)).action).not.toBe('apply'),
      );
      const { epoch, generation } = await hub().assignment('dev', name);
      const gone = [{ namespace: 'argocd', name, epoch, generation }];
      await hub()
        .db.transaction()
        .execute((trx) => get(AssignmentsService).gone(trx, dev(), gone));
    },
  };
}
