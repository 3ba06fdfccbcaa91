import { expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { ApplicationRemovals } from '../applications/application-removals.service.ts';
import { RootRemovals } from './root-removals.service.ts';
import { rootsFixture } from './roots.fixture.ts';

const on = rootsFixture();
const { child, get, names, push, removed, report, resourcesOf, root } = on;

const set = (name: string, elements: string[]) => `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: ${name}}
spec:
  generators: [{list: {elements: [${elements.map((one) => `{n: ${one}}`).join(', ')}]}}]
  template:
    metadata: {name: '${name}-{{n}}'}
    spec:
      project: default
      source: {repoURL: "${on.hub.url}", path: workload, targetRevision: main}
      destination: {name: dev, namespace: shop}
      syncPolicy: {automated: {}}
`;

test('a child that Git drops leaves within the budget; more than half of them wait for an approval', async () => {
  const all = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7'];
  await push(Object.fromEntries(all.map((name) => [`prune/${name}.yaml`, child(name)])));
  await on.hub.apply([root('pruner', 'prune', { syncPolicy: { automated: { prune: true } } })]);
  for (const name of all) await on.hub.assignment('dev', name);
  await push({ 'prune/p1.yaml': null });
  await removed('p1');
  await on.hub.eventually(async () => expect(await names()).not.toContain('p1'));
  await push({ 'prune/p2.yaml': null, 'prune/p3.yaml': null, 'prune/p4.yaml': null, 'prune/p5.yaml': null });
  await on.hub.eventually(async () => {
    expect((await on.hub.app('p2')).leaving).toMatchObject({
      held: expect.stringContaining('4 of 6 children'),
    });
  });
  await on.hub.eventually(async () =>
    expect((await resourcesOf('pruner')).get('Application p2')).toMatchObject({
      requiresPruning: true,
      message: expect.stringContaining('waits for an approval'),
    }),
  );
  // One is taken back: it stays, and is nobody's child any more.
  await get(ApplicationRemovals).restore(systemActor, 'argocd', 'p2');
  await on.hub.eventually(async () => expect(await on.hub.app('p2')).not.toHaveProperty('root'));
  expect((await on.hub.app('p2')).leaving).toBeUndefined();
  // Git takes another back.
  await push({ 'prune/p3.yaml': child('p3') });
  await on.hub.eventually(async () => expect((await on.hub.app('p3')).leaving).toBeUndefined());
  const id = await on.idOf('pruner');
  const pruner = { id, namespace: 'argocd', name: 'pruner', project: 'default' };
  expect(await get(RootRemovals).approve(systemActor, pruner, 'moved')).toEqual({ approved: 2 });
  await removed('p4');
  await removed('p5');
  await on.hub.eventually(async () => expect(await on.hub.app('pruner')).toMatchObject({ sync: 'Synced' }));
  await expect(get(RootRemovals).approve(systemActor, pruner)).rejects.toThrow(
    'no removal of argocd/pruner waits',
  );
});

test('a root that renders to nothing removes nothing, its sets neither', async () => {
  await push({ 'empty/e1.yaml': child('e1'), 'empty/set.yaml': set('es', ['a', 'b']) });
  await on.hub.apply([root('emptied', 'empty', { syncPolicy: { automated: { prune: true } } })]);
  for (const name of ['e1', 'es-a', 'es-b']) {
    await on.hub.assignment('dev', name);
    await report(name, 'Healthy');
  }
  await on.hub.eventually(async () =>
    expect(await on.hub.app('emptied')).toMatchObject({ sync: 'Synced', health: 'Healthy' }),
  );
  await push({ 'empty/e1.yaml': null, 'empty/set.yaml': null, 'empty/README.md': 'nothing' });
  await on.hub.eventually(async () => {
    const resources = await resourcesOf('emptied');
    for (const name of ['Application e1', 'ApplicationSet es'])
      expect(resources.get(name)).toMatchObject({
        message: expect.stringContaining('Git holds none of the children'),
      });
  });
  expect((await on.hub.app('es-a')).leaving).toBeUndefined();
  const id = await on.idOf('emptied');
  await get(RootRemovals).approve(systemActor, {
    id,
    namespace: 'argocd',
    name: 'emptied',
    project: 'default',
  });
  for (const name of ['e1', 'es-a', 'es-b']) await removed(name);
  await on.hub.eventually(async () => expect(await resourcesOf('emptied')).toEqual(new Map()));
});

test('deleting a root leaves its children where they are, or takes them along once that is approved', async () => {
  await push({
    'gone/g1.yaml': child('g1'),
    'gone/g2.yaml': child('g2', { annotations: { 'argocd.argoproj.io/sync-options': 'Delete=false' } }),
  });
  await on.hub.apply([root('kept', 'gone')]);
  await on.hub.assignment('dev', 'g1');
  await on.hub.assignment('dev', 'g2');
  await get(ApplicationRemovals).remove(systemActor, 'argocd', 'kept');
  await on.hub.eventually(async () => expect(await names()).not.toContain('kept'));
  expect(await on.hub.app('g1')).not.toHaveProperty('root');
  // What is the same is taken over again.
  await on.hub.apply([root('taken', 'gone', {}, { finalizers: ['resources-finalizer.argocd.argoproj.io'] })]);
  await on.hub.eventually(async () => expect((await on.hub.app('g2')).root).toBe('argocd/taken'));
  await get(ApplicationRemovals).remove(systemActor, 'argocd', 'taken');
  await on.hub.eventually(async () => {
    expect((await on.hub.app('g1')).leaving).toMatchObject({
      held: expect.stringContaining('all 2 children of the root'),
    });
    expect((await on.hub.app('taken')).leaving).toMatchObject({ held: 'its children leave first' });
  });
  const id = await on.idOf('taken');
  await get(RootRemovals).approve(systemActor, {
    id,
    namespace: 'argocd',
    name: 'taken',
    project: 'default',
  });
  await removed('g1');
  await on.hub.eventually(async () => expect(await names()).not.toContain('taken'));
  expect((await on.hub.app('g2')).leaving).toBeUndefined();
});
