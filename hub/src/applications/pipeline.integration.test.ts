import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Action, Assignment } from '@muster/proto';
import { type TestHub, application, startTestHub } from './pipeline.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-pipeline-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder);
  await hub.cluster('dev', { env: 'dev' });
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  key: ${value}\n`;

test('an Application that is applied becomes a bundle, a release and a signed assignment', async () => {
  hub.commit({ 'plain/a.yaml': configMap('a', 'one') }, 'first');
  const applied = await hub.apply([application(hub, 'plain', 'plain')]);
  expect(applied.results).toEqual([
    { kind: 'Application', namespace: 'argocd', name: 'plain', result: 'created', conditions: [] },
  ]);
  const row = await hub.assignment('dev', 'plain');
  const assignment = Assignment.decode(row.payload);
  expect(assignment).toMatchObject({
    applicationName: 'plain',
    action: Action.APPLY,
    destinationNamespace: 'shop',
  });
  expect(assignment.project?.namespaces).toEqual(['*']);
  expect(await hub.objects(assignment.bundleDigest)).toMatchObject([
    { kind: 'ConfigMap', data: { key: 'one' } },
  ]);
});
