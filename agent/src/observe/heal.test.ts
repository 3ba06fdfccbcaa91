import { Assignment, SyncPolicy } from '@muster/proto/records';
import { expect, it } from 'vitest';
import { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import type { DesiredState } from '../apply/desired.ts';
import { FULL_POWER } from '../apply/power.ts';
import { heal } from './heal.ts';
import { HealBudget } from './healing.ts';
import { liveHash, liveObject } from './live-object.ts';

const KEY = '/ConfigMap/web/fought';
const holding = (value: string, resourceVersion: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'fought', namespace: 'web', uid: 'u', resourceVersion },
  data: { value },
});

it('does not take what somebody wrote right after a heal for what was healed', async () => {
  const syncPolicy = SyncPolicy.fromPartial({ automated: true, selfHeal: true });
  const assignment = Assignment.fromPartial({
    applicationNamespace: 'argocd',
    applicationName: 'a',
    syncPolicy,
  });
  const app = new Application('argocd/a', { assignment, payloadSha256: Buffer.alloc(32) } as never);
  app.applied = { ...app.applied, assignment: app.content };
  // The watch was quicker than the answer to the apply, and told of the next write by another.
  const theirs = liveObject(holding('theirs', '12'));
  app.resources.set(KEY, { key: KEY, sync: 'OutOfSync', judged: theirs.hash } as never);
  app.inventory.set(KEY, { key: KEY, version: 'v1', uid: 'u', applied: 'h', live: 'before' });
  const type = {
    group: '',
    version: 'v1',
    kind: 'ConfigMap',
    plural: 'configmaps',
    namespaced: true,
    verbs: [],
  };
  const desired = {
    objects: new Map([[KEY, { key: KEY, object: holding('ours', ''), type, hash: 'h' }]]),
    hooks: [],
    problems: [],
    unserved: [],
    mask: (text: string) => text,
  } as unknown as DesiredState;
  const cluster = {
    now: () => 1_000,
    power: FULL_POWER,
    holds: () => true,
    claims: { claim: () => app.key },
    index: { get: () => ({ ...theirs, owner: app.key }), put: () => theirs },
    client: { apply: async () => ({ object: holding('ours', '11') }) },
    log: { info: () => undefined },
  } as unknown as Cluster;
  await heal(cluster, app, desired, new HealBudget(), new AbortController().signal, async () => undefined);
  // What is there differs from what was judged: the next comparison looks at it.
  expect(app.resources.get(KEY)).toMatchObject({ sync: 'Synced', judged: liveHash(holding('ours', '11')) });
  expect(app.resources.get(KEY)!.judged).not.toBe(theirs.hash);
});
