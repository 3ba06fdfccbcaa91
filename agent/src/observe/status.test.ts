import { Assignment, Signed } from '@muster/proto/records';
import { expect, it } from 'vitest';
import { Application, type Resource } from '../apply/application.ts';
import { StatusDeltas, healthOf, syncOf } from './status.ts';

const resource = (name: string, some: Partial<Resource> = {}): Resource => ({
  key: `/ConfigMap/n/${name}`,
  version: 'v1',
  sync: 'Synced',
  health: '',
  healthMessage: '',
  message: '',
  applyError: '',
  drift: undefined,
  requiresPruning: false,
  held: '',
  foreign: undefined,
  judged: '',
  ...some,
});

function application(...resources: Resource[]): Application {
  const assignment = Assignment.fromPartial({ applicationNamespace: 'argocd', applicationName: 'a' });
  const signed = Signed.fromPartial({});
  const app = new Application('argocd/a', { signed, assignment, payloadSha256: Buffer.alloc(32) });
  app.desired = new Map();
  app.desiredFor = 'payload ';
  app.observedAtMs = 1;
  for (const each of resources) app.resources.set(each.key, each);
  return app;
}

it('takes the worst health, and says whose it is', () => {
  const app = application(
    resource('a', { health: 'Healthy' }),
    resource('b', { health: 'Degraded', message: 'crashes' }),
    resource('c', { health: 'Progressing' }),
    resource('d'),
  );
  expect(healthOf(app)).toEqual({ health: 'Degraded', message: '/ConfigMap/n/b: Degraded (crashes)' });
  expect(healthOf(application())).toEqual({ health: 'Healthy', message: '' });
});

it('is of unknown health until somebody has looked', () => {
  const app = application(resource('a', { health: 'Healthy' }));
  app.observedAtMs = 0;
  expect(healthOf(app).health).toBe('Unknown');
});

it('is Synced only when all is, and nothing waits to be pruned', () => {
  expect(syncOf(application(resource('a')))).toBe('Synced');
  expect(syncOf(application(resource('a'), resource('b', { sync: 'Unknown' })))).toBe('Unknown');
  expect(syncOf(application(resource('a', { sync: 'Unknown' }), resource('b', { sync: 'OutOfSync' })))).toBe(
    'OutOfSync',
  );
  expect(syncOf(application(resource('a', { requiresPruning: true })))).toBe('OutOfSync');
  const unread = application();
  unread.desired = undefined;
  expect(syncOf(unread)).toBe('Unknown');
});

it('tells all at first, then only what has changed', () => {
  const deltas = new StatusDeltas();
  const app = application(resource('a'), resource('b'));
  expect(deltas.changes(app)).toMatchObject({
    resourcesComplete: true,
    resources: [{ name: 'a' }, { name: 'b' }],
  });
  app.observedAtMs = 5;
  expect(deltas.changes(app)).toBeUndefined();
  app.resources.get('/ConfigMap/n/a')!.sync = 'OutOfSync';
  app.resources.delete('/ConfigMap/n/b');
  const next = deltas.changes(app)!;
  expect(next.resources.map(({ name }) => name)).toEqual(['a']);
  expect(next.removedResources).toEqual(['/ConfigMap/n/b']);
  expect(next.resourcesComplete).toBe(false);
  deltas.forget(app.key);
  expect(deltas.changes(app)?.resourcesComplete).toBe(true);
});

it('names what has gone when something else has come', () => {
  const deltas = new StatusDeltas();
  const app = application(resource('a'), resource('b'));
  deltas.changes(app);
  app.resources.delete('/ConfigMap/n/a');
  app.resources.set('/ConfigMap/n/c', resource('c'));
  expect(deltas.changes(app)).toMatchObject({
    resourcesComplete: false,
    resources: [{ name: 'c' }],
    removedResources: ['/ConfigMap/n/a'],
  });
  app.resources.set('/ConfigMap/n/a', resource('a'));
  expect(deltas.changes(app)).toMatchObject({ resources: [{ name: 'a' }], removedResources: [] });
});

it('tells the first look after an apply, though nothing else is new, and no later one', () => {
  const deltas = new StatusDeltas();
  const app = application(resource('a'));
  app.observedAtMs = 10;
  app.applied = { ...app.applied, atMs: 20 };
  deltas.changes(app);
  app.observedAtMs = 21;
  expect(deltas.changes(app)).toMatchObject({ observedAtMs: 21n, resources: [] });
  app.observedAtMs = 22;
  expect(deltas.changes(app)).toBeUndefined();
});
