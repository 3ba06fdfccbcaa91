import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Assignment } from '@muster/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { ApplicationRemovals } from '../applications/application-removals.service.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-accounts-'));
let hub: TestHub;

const project = (destinationServiceAccounts: object[]) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'shop' },
  spec: {
    sourceRepos: ['*'],
    destinations: [{ server: '*', namespace: '*' }],
    destinationServiceAccounts,
  },
});
const named = (name: string, account: string) => ({
  ...application(hub, name, 'web', { project: 'shop' }),
  metadata: { name, annotations: { 'muster.dev/service-account': account } },
});
const content = async (name: string) => Assignment.decode((await hub.assignment('dev', name)).payload);
const conditions = async (name: string) => {
  const { conditions: found } = await hub.app(name);
  return found.map(({ type, message }) => ({ type, message }));
};

beforeAll(async () => {
  hub = await startTestHub(folder);
  await hub.cluster('dev');
  hub.commit({ 'web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' }, 'first');
  await hub.apply([project([])]);
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('what a project lists is signed into the assignments of its Applications, first match first', async () => {
  await hub.apply([application(hub, 'web', 'web', { project: 'shop' })]);
  expect((await content('web')).impersonate).toBe('');
  await hub.apply([
    project([
      { server: '*', namespace: 'other', defaultServiceAccount: 'no' },
      { server: '*', namespace: 'sh*', defaultServiceAccount: 'deployer' },
      { server: '*', namespace: '*', defaultServiceAccount: 'ci:deployer' },
    ]),
  ]);
  await hub.eventually(async () => {
    const { impersonate, project: limits } = await content('web');
    expect(impersonate).toBe('shop/deployer');
    expect(limits).toMatchObject({
      serviceAccounts: ['shop/deployer', 'ci/deployer'],
      needsServiceAccount: true,
    });
  });
});

test('an Application names one of them, and no other', async () => {
  await hub.apply([named('ci', 'ci:deployer'), named('thief', 'kube-system:admin')]);
  expect((await content('ci')).impersonate).toBe('ci/deployer');
  await hub.eventually(async () =>
    expect(await conditions('thief')).toMatchObject([
      {
        type: 'ProjectDenied',
        message: expect.stringContaining(
          'ServiceAccount kube-system/admin is not among those of project "shop"',
        ),
      },
    ]),
  );
});

test('an Application that the list leaves out keeps what it has, and says so', async () => {
  await hub.apply([project([{ server: '*', namespace: 'other', defaultServiceAccount: 'x' }])]);
  await hub.eventually(async () =>
    expect(await conditions('web')).toMatchObject([
      { type: 'ProjectDenied', message: expect.stringContaining('has no ServiceAccount for dev') },
    ]),
  );
  expect((await content('web')).impersonate).toBe('shop/deployer');
});

test('a tombstone has the account of what it removes', async () => {
  const removals = hub.running.app.get(ApplicationRemovals, { strict: false });
  await removals.remove(systemActor, 'argocd', 'ci', true);
  await hub.eventually(async () => {
    const { action, impersonate } = await content('ci');
    expect([action, impersonate]).toEqual([3, 'ci/deployer']);
  });
});

test('a list that cannot be is refused', async () => {
  const refused = hub.apply([project([{ server: '*', namespace: '*', defaultServiceAccount: 'a*' }])]);
  await expect(refused).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('spec.destinationServiceAccounts[0].defaultServiceAccount'),
  });
});
