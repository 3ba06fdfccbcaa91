import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListRollouts, PlanRequest } from '@muster/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../../access/actor.ts';
import { type TestHub, application, startTestHub } from '../../applications/pipeline.fixture.ts';
import { WhyService } from '../../why/why.service.ts';
import { LabellingService } from '../../clusters/labelling.service.ts';
import { PlansService } from '../../plans/plans.service.ts';
import { RolloutReads } from '../reads/rollout-reads.service.ts';
import { configMap, policy, setOverClusters } from '../rollouts.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-cycles-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder);
  hub.commit({ 'web/a.yaml': configMap('one') }, 'first');
  for (const name of ['dev', 'b']) await hub.cluster(name, { needs: 'queue' });
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** `NAME-CLUSTER` in each cluster, which waits for something. */
function set(name: string, dependsOn?: string, annotations: Record<string, string> = {}) {
  const made = setOverClusters(hub, annotations);
  made.metadata.name = name;
  const { metadata } = made.spec.template;
  metadata.name = `${name}-{{name}}`;
  if (dependsOn !== undefined)
    Object.assign(metadata, { annotations: { 'muster.dev/depends-on': dependsOn } });
  return made;
}

function one(name: string, dependsOn: string) {
  const made = application(hub, name, 'web');
  return { ...made, metadata: { ...made.metadata, annotations: { 'muster.dev/depends-on': dependsOn } } };
}

const names = async () =>
  (await hub.db.selectFrom('applications').select('name').orderBy('name').execute()).map((row) => row.name);

test('a circle of Applications is refused when it is closed, and spelled out', async () => {
  await hub.apply([one('x', 'y'), one('y', 'z')]);
  await expect(hub.apply([one('z', 'x')])).rejects.toThrow(
    'Application argocd/z waits for Application argocd/x, which waits for Application argocd/y, which waits for Application argocd/z',
  );
  await expect(hub.apply([one('self', 'self')])).rejects.toThrow(
    'Application argocd/self waits for Application argocd/self',
  );
  await expect(hub.apply([one('odd', 'a/b/c')])).rejects.toThrow('Application argocd/odd: entry 1');
  expect(await names()).toEqual(['x', 'y']);
});

test('a circle of sets is refused before any of their Applications is made, also by a plan', async () => {
  const both = [set('web', 'db-{{name}}'), set('db', '{ applicationSet: web }')];
  const cycle =
    /^Application argocd\/\S+ waits for Application argocd\/\S+, which waits for Application argocd\/\S+$/;
  await expect(hub.apply(both)).rejects.toThrow(cycle);
  const plans = hub.running.app.get(PlansService, { strict: false });
  const found = await plans.plan(
    PlanRequest.parse({ documents: both }),
    systemActor,
    () => undefined,
    AbortSignal.timeout(60_000),
  );
  expect(found.errors.filter(({ type }) => type === 'DependencyError').map(({ message }) => message)).toEqual(
    [expect.stringMatching(cycle)],
  );
  await hub.apply([set('web', 'db-{{name}}')]);
  await hub.idle();
  await expect(hub.apply([both[1]!])).rejects.toThrow(cycle);
  await expect(hub.apply([set('own', '{ applicationSet: own, stage: canary }')])).rejects.toThrow(
    'waits for a stage of its own ApplicationSet',
  );
  expect(await hub.db.selectFrom('application_sets').select('name').execute()).toEqual([{ name: 'web' }]);
});

test('a circle that comes with a label is shown on the set, and its Applications stay as they are', async () => {
  await hub.apply([set('shop', '{{metadata.labels.needs}}')]);
  await hub.idle();
  const stored = () =>
    hub.db
      .selectFrom('applications')
      .select(['name', 'manifest_hash'])
      .where('name', 'like', 'shop-%')
      .orderBy('name')
      .execute();
  const before = await stored();
  const conditions = async () => {
    const [row] = await hub.db
      .selectFrom('application_sets')
      .select('conditions')
      .where('name', '=', 'shop')
      .execute();
    return row!.conditions.filter(({ status, type }) => type === 'ErrorOccurred' && status === 'True');
  };
  const label = (value: string) =>
    hub.running.app
      .get(LabellingService, { strict: false })
      .label('needs', { set: { needs: value }, remove: [] }, systemActor);
  await label('shop-dev');
  await hub.eventually(async () =>
    expect(await conditions()).toEqual([
      expect.objectContaining({
        reason: 'DependencyError',
        message: expect.stringContaining('waits for Application argocd/shop-dev'),
      }),
    ]),
  );
  expect(await stored()).toEqual(before);
  await label('queue');
  await hub.eventually(async () => expect(await conditions()).toEqual([]));
});

test('policies whose stages wait for each other are refused', async () => {
  const stages = (other: string) => [
    { name: 'one', take: 1, dependsOn: [{ applicationSet: other, stage: 'one' }] },
    { name: 'two' },
  ];
  await expect(
    hub.apply([
      policy('p', { stages: stages('second') }),
      policy('q', { stages: stages('first') }),
      set('first', undefined, { 'muster.dev/rollout-policy': 'p' }),
      set('second', undefined, { 'muster.dev/rollout-policy': 'q' }),
    ]),
  ).rejects.toThrow(
    'stage one of ApplicationSet argocd/first waits for stage one of ApplicationSet argocd/second, which waits for stage one of ApplicationSet argocd/first',
  );
});

test('a circle of an annotation one way and a policy the other is refused, whichever comes last', async () => {
  const waits = policy('after-front', {
    stages: [{ name: 'all', dependsOn: [{ applicationSet: 'front' }] }],
  });
  const back = set('back', undefined, { 'muster.dev/rollout-policy': 'after-front' });
  const circle =
    /^Application argocd\/(back|front)-(dev|b) waits for Application argocd\/(back|front)-\2, which waits for Application argocd\/\1-\2$/;
  await expect(hub.apply([waits, set('front', 'back-{{name}}'), back])).rejects.toThrow(circle);
  const made = (name: string) =>
    hub.eventually(async () => expect(await names()).toEqual(expect.arrayContaining([name])));
  await hub.apply([waits, back]);
  await made('back-b');
  await expect(hub.apply([set('front', 'back-{{name}}')])).rejects.toMatchObject({
    message: expect.stringMatching(circle),
    hint: expect.stringContaining('dependsOn of RolloutPolicy after-front'),
  });
  // The other way round: the set that says it with its annotation is there first.
  await hub.apply([policy('after-front', { stages: [{ name: 'all' }] }), set('front', 'back-{{name}}')]);
  await made('front-b');
  await expect(hub.apply([waits])).rejects.toThrow(circle);
  await expect(
    hub.apply([policy('after-front', { stages: [{ name: 'all', dependsOn: ['front-b'] }] })]),
  ).rejects.toThrow(
    /^Application argocd\/(front|back)-b waits for Application argocd\/(back|front)-b, which waits for/,
  );
  await hub.apply([policy('after-front', { stages: [{ name: 'all', dependsOn: ['db-nobody'] }] })]);
});

test('a circle that a label closes without changing an Application is told by why and by the rollout, with what makes it', async () => {
  const canary = { name: 'canary', clusters: { matchLabels: { ring: 'first' } } };
  await hub.apply([
    policy('rings', { stages: [canary, { name: 'rest' }] }),
    policy('after-canary', {
      stages: [{ name: 'all', dependsOn: [{ applicationSet: 'site', stage: 'canary' }] }],
    }),
    set('site', 'store-{{name}}', { 'muster.dev/rollout-policy': 'rings' }),
    set('store', undefined, { 'muster.dev/rollout-policy': 'after-canary' }),
  ]);
  const why = (name: string) =>
    hub.running.app.get(WhyService, { strict: false }).why(systemActor, 'argocd', name, {});
  const texts = async (name: string) => (await why(name)).links.map(({ text }) => text);
  await hub.eventually(async () =>
    expect(await texts('site-b')).toEqual(
      expect.arrayContaining([expect.stringContaining('Application argocd/store-b on cluster b: ')]),
    ),
  );
  expect(await texts('site-b')).not.toEqual(
    expect.arrayContaining([expect.stringContaining('it is a circle')]),
  );
  const reads = hub.running.app.get(RolloutReads, { strict: false });
  const newest = async (name: string) => {
    const { items } = await reads.list(systemActor, ListRollouts.parse({ owner: `argocd/${name}` }));
    return reads.get(systemActor, items[0]!.id, { targets: 1 });
  };
  expect(await newest('site')).not.toHaveProperty('circle');
  await hub.running.app
    .get(LabellingService, { strict: false })
    .label('tier notin (none)', { set: { ring: 'first' }, remove: [] }, systemActor);
  const circle = {
    kind: 'dependency',
    text: 'it is a circle, which never ends by itself: Application argocd/site-b waits for Application argocd/store-b, which waits for stage canary of ApplicationSet argocd/site, which waits for Application argocd/site-b',
    ends: 'one of these is taken away: muster.dev/depends-on of Application argocd/site-b, dependsOn of RolloutPolicy after-canary',
  };
  expect((await why('site-b')).links[0]).toMatchObject(circle);
  expect((await why('site')).links).toEqual(
    expect.arrayContaining([expect.objectContaining({ text: expect.stringContaining('it is a circle') })]),
  );
  const rollout = await newest('site');
  expect(rollout.circle).toEqual({ text: circle.text, ends: circle.ends });
  expect(rollout.lines.at(-2)).toBe(`${circle.text}; it ends when ${circle.ends}`);
});
