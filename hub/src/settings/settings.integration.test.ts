import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Assignment } from '@muster/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { SettingsService } from './settings.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-settings-'));
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

const content = async () => Assignment.decode((await hub.assignment('dev', 'web')).payload);
const settings = (data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'argocd-cm', namespace: 'argocd' },
  data,
});

test('an argocd-cm reaches the assignments: rules for all, checks for the kinds of a bundle', async () => {
  const { results } = await hub.apply([
    settings({
      'resource.customizations.health.ConfigMap': 'return {status = "Healthy"}',
      'resource.customizations.health.apps_Deployment': 'return nil',
      'resource.customizations.ignoreDifferences.all': 'managedFieldsManagers: [scaler]',
      url: 'https://argocd.example.org',
    }),
  ]);
  expect(results[0]).toMatchObject({ kind: 'ConfigMap', result: 'created' });
  expect(results[0]!.conditions.map(({ message }) => message)).toEqual(['url has no effect']);
  await hub.eventually(async () => {
    const { healthChecks, ignoreDifferences } = await content();
    expect(healthChecks).toMatchObject([{ kind: 'ConfigMap', lua: 'return {status = "Healthy"}' }]);
    expect(ignoreDifferences).toMatchObject([{ group: '*', kind: '*', managedFieldsManagers: ['scaler'] }]);
  });
});

test('what cannot be is refused and the last good settings stay', async () => {
  const before = await hub.running.app.get(SettingsService, { strict: false }).get();
  await expect(
    hub.apply([settings({ 'resource.customizations.health.ConfigMap': 'return {' })]),
  ).rejects.toMatchObject({ code: 'invalid', where: 'ConfigMap argocd-cm health of ConfigMap' });
  expect(await hub.running.app.get(SettingsService, { strict: false }).get()).toEqual(before);
});

test('without them assignments are as before', async () => {
  await hub.running.app.get(SettingsService, { strict: false }).remove(systemActor);
  await hub.eventually(async () => {
    const { healthChecks, ignoreDifferences } = await content();
    expect([healthChecks, ignoreDifferences]).toEqual([[], []]);
  });
});
