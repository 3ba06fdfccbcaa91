import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MASK } from '@muster/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, systemActor } from '../access/actor.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { Comparisons } from './comparisons.service.ts';

const SIGNAL = new AbortController().signal;

let folder: string;
let hub: TestHub;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-comparisons-'));
  hub = await startTestHub(folder);
  for (const name of ['staging', 'prod']) await hub.cluster(name);
  hub.commit(
    { ...environment('staging', 'web:1', 'hunter2-old'), ...environment('prod', 'web:1', 'hunter2-old') },
    'first',
  );
  await hub.apply(
    ['staging', 'prod'].map((name) =>
      application(hub, `web-${name}`, `envs/${name}`, { destination: { name, namespace: name } }),
    ),
  );
  for (const name of ['staging', 'prod']) await hub.assignment(name, `web-${name}`);
  await hub.idle();
  for (const [image, password, message] of [
    ['web:2', 'hunter2-new', 'a new image'],
    ['web:3', 'hunter2-new', 'a newer image'],
  ] as const) {
    hub.commit(environment('staging', image, password), message);
    await hub.push();
    await hub.eventually(async () => expect(await messages()).toContain(message));
    await hub.idle();
  }
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const comparisons = () => hub.running.app.get(Comparisons, { strict: false });
const diff = (a: string, b: string, actor: Actor = systemActor) =>
  comparisons().diff(actor, { a, b, members: 10, groups: 10, stat: false }, SIGNAL);
const messages = async () =>
  (await hub.db.selectFrom('releases').select('message').execute()).map(({ message }) => message);

function environment(name: string, image: string, password: string): Record<string, string> {
  return {
    [`envs/${name}/web.yaml`]: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: ${name}
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - { name: web, image: '${image}', args: [--password=${password}] }
---
apiVersion: v1
kind: Secret
metadata: { name: db, namespace: ${name} }
stringData: { password: ${password} }
`,
  };
}

test('releases are listed newest first, with who holds them', async () => {
  const { items } = await comparisons().list(systemActor, { owner: 'argocd/web-staging', limit: 100 });
  expect(items.map(({ number, message, assigned, targets }) => [number, message, assigned, targets])).toEqual(
    [
      [3, 'a newer image', 1, 1],
      [2, 'a new image', 0, 1],
      [1, 'first', 0, 1],
    ],
  );
  const page = await comparisons().list(systemActor, { owner: 'argocd/web-staging', limit: 2 });
  const rest = await comparisons().list(systemActor, {
    owner: 'argocd/web-staging',
    limit: 2,
    after: page.next!,
  });
  expect(rest.items.map(({ number }) => number)).toEqual([1]);
});

test('a release names its targets and images', async () => {
  const found = await comparisons().get(systemActor, 'web-staging#2', SIGNAL);
  expect(found).toMatchObject({ images: ['web:2'], targets: [{ cluster: 'staging', release: 2 }], more: 0 });
});

test('two releases differ in their commits, images and manifests; secrets are masked, and that they differ is said', async () => {
  const found = await diff('web-staging#1', 'web-staging');
  expect(found).toMatchObject({
    same: false,
    summary: { changed: 1, added: 0, removed: 0, objects: { changed: 2 } },
    images: [{ kind: 'Deployment', container: 'web', before: 'web:1', after: 'web:3' }],
  });
  expect(found.commits).toMatchObject([
    { direction: 'forward', commits: [{ subject: 'a newer image' }, { subject: 'a new image' }] },
  ]);
  const text = JSON.stringify(found);
  expect(text).toContain(`--password=${MASK}`);
  expect(text).not.toContain('hunter2');
  expect((await diff('web-staging', 'web-staging#1')).commits).toMatchObject([{ direction: 'back' }]);
  expect((await diff('web-staging#3', 'web-staging')).same).toBe(true);
});

test('environments are compared across their namespaces', async () => {
  const found = await diff('web-prod', 'web-staging');
  expect(found.summary).toMatchObject({ changed: 1, objects: { added: 0, changed: 2, removed: 0 } });
  expect(found.images).toMatchObject([{ before: 'web:1', after: 'web:3' }]);
});

test('who may not see a project is told of no release', async () => {
  const viewer: Actor = { kind: 'user', name: 'v', grants: [{ role: 'viewer', project: 'other' }] };
  await expect(diff('web-prod', 'web-staging', viewer)).rejects.toMatchObject({ code: 'not-found' });
  await expect(diff('web-staging#9', 'web-staging')).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('release 9'),
  });
});
