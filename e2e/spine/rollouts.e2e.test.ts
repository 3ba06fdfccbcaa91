import type { RolloutDetail } from '@muster/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { applicationSet, configMap, deployment, rolloutPolicy } from './testing/documents.ts';
import { killWhen, rollout, settled, states, times, whenIn } from './testing/rollouts.ts';

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

const completed = (name: string, sha: string) =>
  rollout(fleet, name, sha, 'to be complete', ({ phase }) => phase === 'completed');
/** What a Deployment runs. */
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
    const { stage } = await rollout(fleet, 'web', sha, 'to soak', () => true);
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
          fleet,
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
    await settled(fleet, await fleet.push({ 'unrelated.txt': 'x' }, 'nothing that is rendered'));
    expect((await fleet.client.rollouts.list({ owner: 'argocd/late', limit: 1 })).items[0]!.id).toBe(held.id);
    expect(await image('canary', 'late')).toBe(first('late'));
    await completed('late', await fleet.push(rings('late', '3', '3'), 'repaired'));
    expect(new Set(await Promise.all(ALL.map((name) => image(name, 'late'))))).toEqual(
      new Set(['shop/late:3']),
    );
  });
});

describe('a gate that asks for an approval', () => {
  const cli: Record<string, (...args: string[]) => ReturnType<Fleet['muster']>> = {};
  const ok = async (role: string, ...args: string[]) => {
    const { code, stdout, stderr } = await cli[role]!('rollout', ...args);
    expect(code, `muster rollout ${args.join(' ')}: ${stderr}${stdout}`).toBe(0);
    return stdout;
  };
  const isAsking = ({ waitingFor }: RolloutDetail) => waitingFor.some(({ what }) => what === 'approval');

  beforeAll(async () => {
    const { users, roleBindings } = fleet.client;
    for (const role of ['viewer', 'operator', 'approver'] as const) {
      await users.create({ name: role, password: `${role}-password` });
      await roleBindings.create({ user: role, role });
      const client = await fleet.as(role, `${role}-password`);
      const { secret } = await client.tokens.create({ name: 'cli' });
      cli[role] = (...args) => fleet.muster(secret, ...args);
    }
    await fleet.push(settings('gated', '1'), 'gated 1');
    await fleet.apply(set('gated'));
    await fleet.synced(apps('gated'));
    const gates = [{ name: 'go', approval: { count: 1 } }];
    await fleet.apply(
      rolloutPolicy('gated', { stages: [stages[0], { name: 'rest', gates }] }),
      set('gated', 'gated'),
    );
  });

  it('holds until an approver says so on the command line; a viewer and an operator are refused', async () => {
    const sha = await fleet.push(settings('gated', '2'), 'gated 2');
    const { id } = await rollout(fleet, 'gated', sha, 'to ask for an approval', isAsking);
    for (const role of ['viewer', 'operator']) {
      const refused = await cli[role]!('rollout', 'approve', 'gated', '--reason', 'me too');
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/approver/);
    }
    expect(await ok('viewer', 'get', 'gated')).toMatch(/approv/i);
    expect(await values('gated')).toEqual(['2', '1', '1', '1', '1']);
    await ok('approver', 'approve', 'gated', '--reason', 'looks good');
    await completed('gated', sha);
    expect(new Set(await values('gated'))).toEqual(new Set(['2']));
    const { transitions } = await fleet.client.rollouts.replay(id);
    expect(transitions).toContainEqual(
      expect.objectContaining({ actor: 'approver', reason: 'looks good', cause: 'approved' }),
    );
    expect(await ok('viewer', 'replay', id)).toMatch(/the same$/m);
  });

  it('passes into nothing while the rollout is paused, and into the stage once it goes on', async () => {
    const sha = await fleet.push(settings('gated', '3'), 'gated 3');
    await rollout(fleet, 'gated', sha, 'to ask for an approval', isAsking);
    const refused = await cli.viewer!('rollout', 'pause', 'gated');
    expect(refused.stderr).toMatch(/operator/);
    expect(await ok('operator', 'pause', 'gated', '--reason', 'lunch')).toMatch(/paused/);
    await ok('approver', 'approve', 'gated');
    await settled(fleet, sha);
    const held = await rollout(fleet, 'gated', sha, 'to be paused', ({ paused }) => paused);
    expect(states(held)).toMatchObject(Object.fromEntries(REST.map((name) => [name, 'waiting'])));
    await ok('operator', 'resume', 'gated');
    await completed('gated', sha);
  });

  it('is left behind by an abort: each keeps what it has, until a newer commit', async () => {
    const sha = await fleet.push(settings('gated', '4'), 'gated 4');
    await rollout(fleet, 'gated', sha, 'to ask for an approval', isAsking);
    await ok('operator', 'abort', 'gated', '--reason', 'not today');
    await rollout(fleet, 'gated', sha, 'to have ended', ({ phase }) => phase === 'aborted');
    await settled(fleet, sha);
    expect(await values('gated')).toEqual(['4', '3', '3', '3', '3']);
  });

  it('takes the release back when it is rejected', async () => {
    const sha = await fleet.push(settings('gated', '5'), 'gated 5');
    await rollout(fleet, 'gated', sha, 'to ask for an approval', isAsking);
    expect(await values('gated')).toEqual(['5', '3', '3', '3', '3']);
    await ok('approver', 'reject', 'gated', '--reason', 'looks bad');
    await rollout(fleet, 'gated', sha, 'to be taken back', ({ phase }) => phase === 'rolled-back');
    expect(await values('gated')).toEqual(['4', '3', '3', '3', '3']);
    const listed = JSON.parse(await ok('viewer', 'list', '--of', 'gated', '-o', 'json')) as RolloutDetail[];
    expect(listed.map(({ phase }) => phase)).toEqual(['rolled-back', 'aborted', 'completed', 'completed']);
  });
});

describe('a hub that is killed in the middle of a stage', () => {
  it('goes on from where it was, and does nothing twice', async () => {
    const sha = await fleet.push(settings('web', 'killed'), 'killed');
    await killWhen(fleet, 'web', sha, 'canary', 'assigned');
    await killWhen(fleet, 'web', sha, 'canary', 'healthy');
    await killWhen(fleet, 'web', sha, 'east', 'assigned');
    await killWhen(fleet, 'web', sha, 'south', 'healthy');
    const { id } = await completed('web', sha);
    expect(new Set(await values('web'))).toEqual(new Set(['killed']));
    const history = await fleet.client.rollouts.replay(id);
    expect(history).toMatchObject({ same: true, differences: [] });
    const assigned = times(history, 'assigned');
    expect(assigned).toHaveLength(ALL.length);
    expect(new Set(assigned).size).toBe(ALL.length);
  });

  it('also on the way back', async () => {
    const sha = await fleet.push(rings('bad', '4', 'broken', FAILS_FAST), 'fails again');
    await killWhen(fleet, 'bad', sha, 'east', 'applied');
    await killWhen(fleet, 'bad', sha, 'canary', 'restoring');
    const { id } = await rollout(
      fleet,
      'bad',
      sha,
      'to be taken back',
      ({ phase }) => phase === 'rolled-back',
    );
    const images = await Promise.all(ALL.map((cluster) => image(cluster, 'bad')));
    expect(images).toEqual(ALL.map(() => 'shop/bad:1'));
    const history = await fleet.client.rollouts.replay(id);
    expect(history).toMatchObject({ same: true, differences: [] });
    expect(times(history, 'restoring')).toHaveLength(3);
    await fleet.connected(...ALL);
  });
});

describe("Argo CD's strategy.rollingSync", () => {
  const step = (operator: string, clusters: string[], maxUpdate?: number) => ({
    matchExpressions: [{ key: 'on', operator, values: clusters }],
    ...(maxUpdate === undefined ? {} : { maxUpdate }),
  });
  const stepped = () => {
    const document = set('stepped') as { spec: Record<string, unknown> & { template: any } };
    document.spec.template.metadata.labels = { on: '{{name}}' };
    const steps = [step('In', ['canary']), step('NotIn', ['canary', 'west'], 1), step('In', ['west'], 0)];
    document.spec.strategy = { type: 'RollingSync', rollingSync: { steps } };
    return document;
  };

  it('goes step by step, no more than maxUpdate at a time, and 0 of them by hand', async () => {
    const sha = await fleet.push(settings('stepped', '1'), 'stepped');
    await fleet.apply(stepped());
    const byHand = await rollout(fleet, 'stepped', sha, 'to wait for a hand', ({ waitingFor }) =>
      waitingFor.some(({ what }) => what === 'hand'),
    );
    expect(byHand.targets.filter(({ state }) => state !== 'done').map(({ cluster }) => cluster)).toEqual([
      'west',
    ]);
    expect(await fleet.kube('west').find('v1/ConfigMap', 'stepped/settings')).toBeUndefined();
    await fleet.client.rollouts.ask(byHand.id, {
      verb: 'start',
      targets: [byHand.targets.find(({ cluster }) => cluster === 'west')!.id],
      reason: 'by hand',
    });
    await completed('stepped', sha);
    expect(await values('stepped')).toEqual(['1', '1', '1', '1', '1']);
    const history = await fleet.client.rollouts.replay(byHand.id);
    const of = (name: string, to: string) => whenIn(history, new RegExp(`^target/.*${name}`), to);
    const order = ['canary', 'east', 'north', 'south', 'west'];
    for (const [i, name] of order.slice(1).entries())
      expect(of(name, 'assigned'), name).toBeGreaterThanOrEqual(of(order[i]!, 'healthy'));
  });
});

describe('a cluster whose agent is away', () => {
  const MODES = ['wait', 'skip', 'catch-up'];

  it('is waited for, passed over, or catches up, as the policy says', async () => {
    const first = await fleet.push(Object.assign({}, ...MODES.map((mode) => settings(mode, '1'))), 'modes');
    const defaults = (mode: string) => ({ offline: { mode, after: '1s' } });
    await fleet.apply(
      ...MODES.flatMap((mode) => [
        rolloutPolicy(mode, { defaults: defaults(mode), stages: [stages[0], { name: 'rest' }] }),
        set(mode, mode),
      ]),
    );
    for (const mode of MODES) await completed(mode, first);
    await fleet.member('north').agent.stop();
    await eventually(async () => (await fleet.cluster('north')).connection === 'silent', {
      what: 'north to be silent',
    });
    const sha = await fleet.push(Object.assign({}, ...MODES.map((mode) => settings(mode, '2'))), 'away');
    const waits = await rollout(fleet, 'wait', sha, 'to wait for north alone', (found) =>
      found.targets.every(({ cluster, state }) => (cluster === 'north' ? 'waiting' : 'done') === state),
    ).catch((error: unknown) => error);
    const skipped = await completed('skip', sha);
    expect(states(skipped)).toMatchObject({ north: 'skipped' });
    const later = await completed('catch-up', sha);
    expect(states(later)).toMatchObject({ north: 'deferred' });
    if (waits instanceof Error) throw waits;
    expect(waits).toMatchObject({ phase: 'running' });

    await fleet.startAgent('north');
    await completed('wait', sha);
    await eventually(async () => (await valueIn('north', 'catch-up')) === '2', {
      what: 'north to catch up',
    });
    await settled(fleet, sha);
    expect(await valueIn('north', 'skip')).toBe('1');
  });
});
