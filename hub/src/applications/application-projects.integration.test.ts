import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { ApplicationActions } from './application-actions.service.ts';
import { type TestHub, application, configMap, startTestHub } from './pipeline.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-projects-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder);
  await hub.cluster('dev', { env: 'dev' });
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const contentOf = (name: string) => hub.assigned('dev', name);

test('sync windows go to the agent with the limits of the project, and hold back sync commands in the hub', async () => {
  hub.commit({ 'windowed/a.yaml': configMap('a', 'x') }, 'windowed');
  const project = (manualSync: boolean) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'windowed' },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      syncWindows: [
        { kind: 'deny', schedule: '* * * * *', duration: '1h', applications: ['windowed'], manualSync },
        { kind: 'deny', schedule: '* * * * *', duration: '2h', applications: ['other'] },
      ],
    },
  });
  await hub.apply([project(false), application(hub, 'windowed', 'windowed', { project: 'windowed' })]);
  const { project: limits } = await contentOf('windowed');
  expect(limits?.windows).toEqual([
    { deny: true, schedule: '* * * * *', timeZone: 'UTC', durationMs: 3_600_000n, manualSync: false },
  ]);
  const actions = hub.running.app.get(ApplicationActions, { strict: false });
  const sync = (dryRun: boolean) => actions.sync(systemActor, 'argocd', 'windowed', { dryRun });
  expect(await actions.windows(systemActor, 'argocd', 'windowed')).toMatchObject({
    items: [{ kind: 'deny', open: true, closesAt: expect.any(String) as string }],
    automated: { allowed: false, until: expect.any(String) as string },
    manual: { allowed: false },
  });
  await expect(sync(false)).rejects.toThrow('project windowed lets nobody sync windowed until');
  await expect(sync(true)).resolves.toMatchObject({ command: expect.any(String) as string });
  await hub.apply([project(true)]);
  await expect(sync(false)).resolves.toMatchObject({ command: expect.any(String) as string });
  const selectors = { dryRun: false, resources: ['Deployment/web'] };
  await expect(actions.sync(systemActor, 'argocd', 'windowed', selectors)).rejects.toThrow(
    '"Deployment/web" is not',
  );
  await expect(actions.confirm(systemActor, 'argocd', 'windowed', {})).resolves.toMatchObject({
    command: expect.any(String) as string,
  });
});

test('a repository that is registered for one project serves no other', async () => {
  hub.commit({ 'scoped/a.yaml': configMap('a', 'one') }, 'scoped');
  await hub.apply([application(hub, 'scoped', 'scoped')]);
  const { bundleDigest } = await contentOf('scoped');
  await sql`update repositories set project = 'team'`.execute(hub.db);
  hub.commit({ 'scoped/a.yaml': configMap('a', 'two') }, 'not for everybody');
  await hub.push();
  await hub.eventually(async () => {
    expect((await hub.app('scoped')).conditions).toContainEqual(
      expect.objectContaining({
        type: 'ProjectDenied',
        message: expect.stringContaining('is registered for the project team only'),
      }),
    );
  });
  expect((await contentOf('scoped')).bundleDigest).toBe(bundleDigest);
  await sql`update repositories set project = null`.execute(hub.db);
  await hub.apply([
    {
      ...application(hub, 'scoped', 'scoped'),
      spec: { ...application(hub, 'scoped', 'scoped').spec, info: [] },
    },
  ]);
  await hub.eventually(async () => expect((await contentOf('scoped')).bundleDigest).not.toBe(bundleDigest));
});
