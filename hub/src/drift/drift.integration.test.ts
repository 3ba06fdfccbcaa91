import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Assignment } from '@muster/proto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { DriftService } from './drift.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-drift-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder);
  await hub.cluster('dev');
  hub.commit({ 'web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' }, 'first');
  await hub.apply([application(hub, 'web', 'web')]);
  await hub.assignment('dev', 'web');
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const drift = () => hub.running.app.get(DriftService, { strict: false });
const rules = async () =>
  Assignment.decode((await hub.assignment('dev', 'web')).payload).ignoreDifferences.map(
    ({ kind, name, jsonPointers, jqPathExpressions }) => ({ kind, name, jsonPointers, jqPathExpressions }),
  );

/** As the agent would have reported it; what agents report themselves is tested with real ones. */
async function reported(resources: Record<string, object>): Promise<void> {
  await sql`
    insert into target_status (cluster_id, application_namespace, application_name, epoch, generation, bundle_digest,
      sync, health, observed_at, sync_since, health_since, resources)
    select cluster_id, application_namespace, application_name, epoch, generation, bundle_digest,
      'OutOfSync', 'Healthy', now(), now(), now(), ${JSON.stringify(resources)}::jsonb
    from assignments where application_name = 'web'
    on conflict (cluster_id, application_namespace, application_name) do update set resources = excluded.resources
  `.execute(hub.db);
}

test('accepting without drift says so', async () => {
  await expect(drift().accept(systemActor, 'argocd', 'web', {})).rejects.toMatchObject({
    code: 'precondition',
  });
});

test('what differs is ignored by the next assignment, until it is forgotten', async () => {
  const field = (path: string) => ({ path, expected: '1', actual: '2' });
  await reported({
    'apps/Deployment/shop/web': {
      kind: 'Deployment',
      sync: 'OutOfSync',
      drift: { fields: [field('spec.replicas'), field('spec.template.spec.containers[name=main].image')] },
    },
    '/ConfigMap/shop/a': { kind: 'ConfigMap', drift: { fields: [], deleted: true } },
    '/ConfigMap/shop/b': { kind: 'ConfigMap', drift: { fields: [field('data.a')], class: 'pending' } },
  });
  const resource = 'apps/Deployment/shop/web';
  const first = await drift().accept(systemActor, 'argocd', 'web', {
    field: 'spec.replicas',
    reason: 'sale',
  });
  expect(first.items).toMatchObject([{ resource, field: 'spec.replicas', reason: 'sale' }]);
  await drift().accept(systemActor, 'argocd', 'web', { resource });
  await hub.eventually(async () => {
    expect(await rules()).toEqual([
      { kind: 'Deployment', name: 'web', jsonPointers: ['/spec/replicas'], jqPathExpressions: [] },
      expect.objectContaining({ kind: 'Deployment', jqPathExpressions: [expect.stringContaining('"main"')] }),
    ]);
  });
  await drift().forget(systemActor, 'argocd', 'web', { field: 'spec.replicas' });
  await hub.eventually(async () => expect(await rules()).toHaveLength(1));
  await expect(
    drift().forget(systemActor, 'argocd', 'web', { field: 'spec.replicas' }),
  ).rejects.toMatchObject({ code: 'not-found' });
});

test('what is gone from the cluster cannot be accepted', async () => {
  await expect(
    drift().accept(systemActor, 'argocd', 'web', { resource: '/ConfigMap/shop/a' }),
  ).rejects.toMatchObject({ code: 'precondition', message: expect.stringContaining('is gone') });
});
