import { Assignment, Signed } from '@muster/proto/records';
import { expect, it } from 'vitest';
import { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import type { Desired, DesiredState } from '../apply/desired.ts';
import { Comparison } from './comparison.ts';
import { healthOf as healthOfObject } from './live-object.ts';
import { healthOf } from './status.ts';

const KEY = 'apps/Deployment/web/web';

it('is as old as its beginning: what is applied while it looks was not observed after that', async () => {
  let now = 1_000;
  const assignment = Assignment.fromPartial({ applicationNamespace: 'argocd', applicationName: 'web' });
  const app = new Application('argocd/web', {
    signed: Signed.fromPartial({}),
    assignment,
    payloadSha256: Buffer.alloc(32),
  });
  const each = {
    key: KEY,
    object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'web' } },
    hash: 'h',
    type: undefined,
  } as Desired;
  const desired: DesiredState = {
    objects: new Map([[KEY, each]]),
    hooks: [],
    mask: (text) => text,
    problems: [],
    unserved: [],
  };
  // The API server is asked for what is not known yet; meanwhile the operation ends.
  const resolve = async () => {
    now = 2_000;
    app.applied = { digest: 'd', version: '1.1', atMs: 1_500, assignment: 'a' };
  };
  const cluster = {
    now: () => now,
    power: {},
    discovery: { resolve },
    index: { want: () => undefined, get: () => undefined, ownedBy: () => [], isReady: () => false },
    log: { debug: () => undefined },
  } as unknown as Cluster;
  const comparison = new Comparison(cluster, app);
  await comparison.run(desired, new AbortController().signal);
  expect(app.observedAtMs).toBeLessThan(app.applied.atMs);
  comparison.refresh();
  await comparison.run(desired, new AbortController().signal);
  expect(app.observedAtMs).toBeGreaterThanOrEqual(app.applied.atMs);
});

it('knows the health of what is in the cluster before its watch has told of it', async () => {
  const assignment = Assignment.fromPartial({ applicationNamespace: 'argocd', applicationName: 'web' });
  const app = new Application('argocd/web', {
    signed: Signed.fromPartial({}),
    assignment,
    payloadSha256: Buffer.alloc(32),
  });
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'web' },
    spec: { replicas: 1 },
  };
  const type = {
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    plural: 'deployments',
    namespaced: true,
    verbs: [],
  };
  const desired: DesiredState = {
    objects: new Map([[KEY, { key: KEY, object, hash: 'h', type } as Desired]]),
    hooks: [],
    mask: (text) => text,
    problems: [],
    unserved: [],
  };
  const live = {
    ...object,
    metadata: { ...object.metadata, uid: 'u', resourceVersion: '7', generation: 1 },
    status: {},
  };
  const cluster = {
    now: () => 1_000,
    namespaces: [],
    power: { accepted: new Set(), clusterKinds: [] },
    client: { find: async () => live },
    index: {
      want: () => undefined,
      get: () => undefined,
      ownedBy: () => [],
      isReady: () => true,
      ready: async () => undefined,
      assess: async (of: typeof live) => healthOfObject(of),
    },
    log: { debug: () => undefined },
  } as unknown as Cluster;
  await new Comparison(cluster, app).run(desired, new AbortController().signal);
  expect(app.resources.get(KEY)).toMatchObject({ sync: 'Synced', health: 'Progressing' });
  expect(healthOf(app).health).toBe('Progressing');
});
