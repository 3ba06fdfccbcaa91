import type { RolloutDetail, RolloutReplay } from '@muster/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { applicationSet, configMap, deployment, rolloutPolicy } from './testing/documents.ts';

let fleet: Fleet;
/** One canary, half of the others, the rest. */
const REST = ['east', 'north', 'south', 'west'];
const ALL = ['canary', ...REST];
const FAILS_FAST = 8;

beforeAll(async () => {
  const rest = Object.fromEntries(REST.map((name) => [name, { ring: 'rest' }]));
  // Nothing is polled: what happens here, happens because a webhook or a user said so.
  fleet = await startFleet({
    env: { MUSTER_POLL_SECONDS: '3600' },
    clusters: { canary: { ring: 'canary' }, ...rest },
  });
});
afterAll(() => fleet?.stop());

const stages: Record<string, unknown>[] = [
  { name: 'canary', clusters: { matchLabels: { ring: 'canary' } } },
  { name: 'some', take: '50%' },
  { name: 'rest' },
];

/** `NAME-CLUSTER` in each cluster, in the namespace NAME, from the folder NAME or what `path` says. */
const set = (name: string, policy?: string, path = name) =>
  applicationSet(fleet.repository.url, name, {
    generators: [{ clusters: {} }],
    applicationName: `${name}-{{name}}`,
    source: { path },
    destination: { name: '{{name}}', namespace: name },
    ...(policy ? { annotations: { 'muster.dev/rollout-policy': policy } } : {}),
  });
const settings = (name: string, value: string) => ({
  [`${name}/settings.yaml`]: configMap('settings', { value }),
});
const valueIn = async (cluster: string, name: string) =>
  (await fleet.kube(cluster).get('v1/ConfigMap', `${name}/settings`)).data.value as string;
const values = (name: string, clusters = ALL) =>
  Promise.all(clusters.map((cluster) => valueIn(cluster, name)));
const apps = (name: string, clusters = ALL) => clusters.map((cluster) => `${name}-${cluster}`);

/** The newest rollout of a set once it is of a commit and as described; a failure shows what it says of itself. */
const rollout = (
  name: string,
  sha: string,
  what: string,
  is: (rollout: RolloutDetail) => unknown,
  timeout = 60_000,
): Promise<RolloutDetail> =>
  eventually(
    async (see) => {
      const { items } = await fleet.client.rollouts.list({ owner: `argocd/${name}`, limit: 1 });
      see(items[0]?.to.label);
      if (!items[0]?.to.label.includes(sha.slice(0, 7))) return undefined;
      const found = await fleet.client.rollouts.get(items[0].id);
      see([found.phase, ...found.lines, found.targets.map(({ id, state, note }) => [id, state, note])]);
      return is(found) ? found : undefined;
    },
    { what: `the rollout of ${name} ${what}`, timeout },
  );
const completed = (name: string, sha: string) =>
  rollout(name, sha, 'to be complete', ({ phase }) => phase === 'completed');
/** A commit was fetched, and there is nothing left to do. */
const settled = (sha: string) =>
  eventually(
    async (see) => {
      const seen = await fleet.sql('select 1 from tracked_revisions where commit = $1', [sha]);
      const due = 'not_before is null or not_before <= now()';
      const work = await fleet.sql(`select queue, key from outbox where queue <> 'maintenance' and (${due})`);
      return see([seen, work]) && seen.length > 0 && work.length === 0;
    },
    { what: 'the hub to have no work left' },
  );
/** State of each target, by cluster. */
const states = ({ targets }: RolloutDetail) =>
  Object.fromEntries(targets.map(({ cluster, state }) => [cluster, state]));
/** When, by the hub's clock, what `subject` says first came to a state. */
const whenIn = ({ transitions }: RolloutReplay, subject: RegExp, to: string) => {
  const found = transitions.find((one) => subject.test(one.subject) && one.to === to);
  if (!found) throw new Error(`nothing like ${subject} came to ${to}: ${JSON.stringify(transitions)}`);
  return Date.parse(found.at);
};

describe('a commit to an ApplicationSet with a RolloutPolicy', () => {
  const SOAK_SECONDS = 12;
  let sha: string;

  it('reaches the canary only; the others hold the old release, and drift there is healed to it', async () => {
    const first = await fleet.push({ ...settings('web', 'first'), ...settings('free', 'first') }, 'first');
    const soak = `${SOAK_SECONDS}s`;
    await fleet.apply(
      rolloutPolicy('careful', { defaults: { soak: '2s' }, stages: stages.with(0, { ...stages[0]!, soak }) }),
      set('web', 'careful'),
      set('free'),
    );
    await fleet.synced([...apps('web'), ...apps('free')]);
    await completed('web', first);

    sha = await fleet.push({ ...settings('web', 'second'), ...settings('free', 'second') }, 'second');
    await eventually(async () => (await valueIn('canary', 'web')) === 'second', {
      what: 'the second release in the canary',
    });
    await fleet.kube('east').patch('v1/ConfigMap', 'web/settings', { data: { value: 'by hand' } });
    await eventually(async () => (await valueIn('east', 'web')) === 'first', {
      what: 'drift to be healed to the first release',
    });
    expect(await values('web')).toEqual(['second', 'first', 'first', 'first', 'first']);
    const { stage } = await rollout('web', sha, 'to soak', () => true);
    expect(stage).toBe('canary');
    // A set without a policy does not wait for anybody.
    await fleet.synced(apps('free'), sha);
  });

  it('and after the soak of each stage the others', async () => {
    const { id } = await completed('web', sha);
    expect(new Set(await values('web'))).toEqual(new Set(['second']));
    await fleet.synced(apps('web'));
    const history = await fleet.client.rollouts.replay(id);
    expect(history).toMatchObject({ same: true, differences: [] });
    const healthy = whenIn(history, /^target\/.*canary/, 'healthy');
    const others = REST.map((name) => whenIn(history, new RegExp(`^target/.*${name}`), 'assigned'));
    expect(Math.min(...others) - healthy).toBeGreaterThanOrEqual(SOAK_SECONDS * 1000);
    const some = Math.max(...others.slice(0, 2));
    expect(Math.min(...others.slice(2))).toBeGreaterThan(some);
    const { items } = await fleet.client.rollouts.list({ owner: 'argocd/free' });
    expect(items).toEqual([]);
  });
});

describe('a release whose Deployment never becomes ready in the second stage', () => {
  const image = async (cluster: string, name: string) => {
    const { spec, status, metadata } = await fleet.kube(cluster).get('apps/v1/Deployment', `${name}/${name}`);
    const isReady =
      status.observedGeneration === metadata.generation &&
      status.updatedReplicas === spec.replicas &&
      status.readyReplicas === spec.replicas &&
      status.replicas === spec.replicas;
    return `${spec.template.spec.containers[0].image}${isReady ? '' : ', not ready'}`;
  };
  /** What each ring gets: the canary runs everything, the others do not. */
  const rings = (name: string, canary: string, rest: string, deadline?: number) =>
    Object.fromEntries(
      Object.entries({ canary, rest }).map(([ring, tag]) => [
        `${name}/${ring}/deployment.yaml`,
        deployment(name, `shop/${name}:${tag}`, 2, deadline),
      ]),
    );
  const perRing = (name: string, policy: string) => set(name, policy, `${name}/{{metadata.labels.ring}}`);
  const first = (name: string) => `shop/${name}:1`;

  it('is stopped and taken back everywhere, by its deadline or as soon as it is Degraded', async () => {
    const defaults = { soak: '1s', deadline: '60s' };
    const works = await fleet.push(
      { ...rings('late', '1', '1'), ...rings('bad', '1', '1', FAILS_FAST) },
      'works',
    );
    await fleet.apply(
      rolloutPolicy('watched', { defaults, stages }),
      perRing('late', 'watched'),
      perRing('bad', 'watched'),
    );
    await fleet.synced([...apps('late'), ...apps('bad')]);
    for (const name of ['late', 'bad']) await completed(name, works);
    const before = await fleet.kube('west').get('apps/v1/Deployment', 'late/late');

    const fails = await fleet.push(
      { ...rings('late', '2', 'broken'), ...rings('bad', '2', 'broken', FAILS_FAST) },
      'fails',
    );
    await Promise.all(
      ['late', 'bad'].map(async (name) => {
        const ended = await rollout(
          name,
          fails,
          'to be taken back',
          ({ phase }) => phase === 'rolled-back' || phase === 'failed' || phase === 'completed',
          180_000,
        );
        const seen = Date.now();
        expect(ended, ended.lines.join('\n')).toMatchObject({ phase: 'rolled-back', headHeld: true });
        const [canary, ...rest] = await Promise.all(ALL.map((cluster) => image(cluster, name)));
        expect([canary, ...rest]).toEqual(ALL.map(() => first(name)));
        expect(states(ended)).toMatchObject({
          canary: 'restored',
          east: 'restored',
          north: 'restored',
          south: 'waiting',
          west: 'waiting',
        });
        const history = await fleet.client.rollouts.replay(ended.id);
        expect(history).toMatchObject({ same: true, differences: [] });
        expect(history.transitions.filter(({ to }) => to === 'restoring')).toHaveLength(3);
        const failed = whenIn(history, /^target/, 'failed');
        const assigned = whenIn(history, /^target\/.*(east|north)/, 'assigned');
        const back = Date.parse(ended.endedAt!);
        console.info(
          `${name}: failed ${(failed - assigned) / 1000} s after it was assigned; ` +
            `${(back - failed) / 1000} s from the first failure until all were back (seen after ${(seen - failed) / 1000} s)`,
        );
        expect(back - failed).toBeLessThan(120_000);
      }),
    );
    // Who was never reached, was never touched.
    const after = await fleet.kube('west').get('apps/v1/Deployment', 'late/late');
    expect(after.metadata.generation).toBe(before.metadata.generation);
  });

  it('is not tried again before a newer commit, which goes through all stages', async () => {
    const held = (await fleet.client.rollouts.list({ owner: 'argocd/late', limit: 1 })).items[0]!;
    expect(held).toMatchObject({ phase: 'rolled-back', headHeld: true });
    await fleet.apply(perRing('late', 'watched'));
    await settled(await fleet.push({ 'unrelated.txt': 'x' }, 'nothing that is rendered'));
    expect((await fleet.client.rollouts.list({ owner: 'argocd/late', limit: 1 })).items[0]!.id).toBe(held.id);
    expect(await image('canary', 'late')).toBe(first('late'));
    await completed('late', await fleet.push(rings('late', '3', '3'), 'repaired'));
    expect(new Set(await Promise.all(ALL.map((name) => image(name, 'late'))))).toEqual(
      new Set(['shop/late:3']),
    );
  });
});
