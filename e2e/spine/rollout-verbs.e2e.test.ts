import { Assignment } from '@muster/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { applicationSet, configMap, deployment, rolloutPolicy } from './testing/documents.ts';
import { flushQueue, rollout, states, times, whenIn } from './testing/rollouts.ts';

let fleet: Fleet;
let token: string;
let cli: (...args: string[]) => Promise<string>;
const REST = ['east', 'north', 'south', 'west'];
const ALL = ['canary', ...REST];

beforeAll(async () => {
  const rest = Object.fromEntries(REST.map((name) => [name, { ring: 'rest' }]));
  fleet = await startFleet({
    env: { MUSTER_POLL_SECONDS: '3600' },
    clusters: { canary: { ring: 'canary' }, ...rest },
  });
  token = (await fleet.client.tokens.create({ name: 'cli' })).secret;
  cli = async (...args) => {
    const { code, stdout, stderr } = await fleet.muster(token, 'rollout', ...args);
    expect(code, `muster rollout ${args.join(' ')}: ${stderr}${stdout}`).toBe(0);
    return stdout;
  };
});
afterAll(() => fleet?.stop());

const canary = { name: 'canary', clusters: { matchLabels: { ring: 'canary' } } };
const set = (name: string, policy?: string) =>
  applicationSet(fleet.repository.url, name, {
    generators: [{ clusters: {} }],
    applicationName: `${name}-{{name}}`,
    source: { path: name },
    destination: { name: '{{name}}', namespace: name },
    ...(policy ? { annotations: { 'muster.dev/rollout-policy': policy } } : {}),
  });
const settings = (name: string, value: string) => ({
  [`${name}/settings.yaml`]: configMap('settings', { value }),
});
const values = (name: string) =>
  Promise.all(
    ALL.map(async (cluster) => {
      const found = await fleet.kube(cluster).get('v1/ConfigMap', `${name}/settings`);
      return found.data.value as string;
    }),
  );
const apps = (name: string) => ALL.map((cluster) => `${name}-${cluster}`);
const completed = (name: string, sha: string) =>
  rollout(fleet, name, sha, 'to be complete', ({ phase }) => phase === 'completed', 120_000);
/** An hour that begins so many seconds from now. */
const freeze = (seconds: number, until = seconds + 3600) => {
  const at = (offset: number) => new Date(Date.now() + offset * 1000).toISOString();
  return { kind: 'deny', from: at(seconds), until: at(until), reason: 'inventory' };
};

describe('a release in three stages', () => {
  const SOAK_SECONDS = 3;

  it('reaches the canary, 40 % of the others, and the rest, each after the soak of the one before', async () => {
    await fleet.push(settings('web', 'first'), 'first');
    await fleet.apply(set('web'));
    await fleet.synced(apps('web'));
    const defaults = { soak: `${SOAK_SECONDS}s` };
    const stages = [canary, { name: 'some', take: '40%' }, { name: 'rest' }];
    // What is frozen is not started: the release waits in its first stage until the freeze is over.
    const windows = [freeze(-60, 12)];
    await fleet.apply(rolloutPolicy('staged', { defaults, stages, windows }), set('web', 'staged'));
    const sha = await fleet.push(settings('web', 'second'), 'second');
    const held = await rollout(fleet, 'web', sha, 'to wait for the end of the freeze', ({ waitingFor }) =>
      waitingFor.some(({ what, text }) => what === 'window' && text.includes('(inventory)')),
    );
    expect(new Set(Object.values(states(held)))).toEqual(new Set(['waiting']));
    await flushQueue(fleet);
    expect(new Set(await values('web'))).toEqual(new Set(['first']));
    const { id } = await completed('web', sha);
    expect(new Set(await values('web'))).toEqual(new Set(['second']));
    const history = await fleet.client.rollouts.replay(id);
    expect(history).toMatchObject({ same: true, differences: [] });
    const assigned = (name: string) => whenIn(history, new RegExp(`^target/.*${name}`), 'assigned');
    const healthy = (name: string) => whenIn(history, new RegExp(`^target/.*${name}`), 'healthy');
    expect(assigned('canary')).toBeGreaterThanOrEqual(Date.parse(windows[0]!.until));
    // 40 % of four are one.
    const [some, ...rest] = REST;
    expect(assigned(some!) - healthy('canary')).toBeGreaterThanOrEqual(SOAK_SECONDS * 1000);
    for (const name of rest)
      expect(assigned(name) - healthy(some!)).toBeGreaterThanOrEqual(SOAK_SECONDS * 1000);
  });
});

describe('pods that crash, and pods that hang', () => {
  it('take a release back everywhere, also while everything is frozen', async () => {
    const manifests = (tags: { crash: string; hang: string }, more = {}) => ({
      'crash/deployment.yaml': deployment('crash', `shop/crash:${tags.crash}`, 2, 25),
      'hang/deployment.yaml': deployment('hang', `shop/hang:${tags.hang}`, 2),
      ...more,
    });
    await fleet.push(manifests({ crash: '1', hang: '1' }), 'works');
    await fleet.apply(set('crash'), set('hang'));
    await fleet.synced([...apps('crash'), ...apps('hang')]);
    const stages = [canary, { name: 'rest' }];
    const windows = [freeze(15)];
    await fleet.apply(
      rolloutPolicy('crash', { defaults: { deadline: '2m' }, stages, windows }),
      rolloutPolicy('hang', { defaults: { deadline: '25s' }, stages, windows }),
      set('crash', 'crash'),
      set('hang', 'hang'),
    );
    const sha = await fleet.push(manifests({ crash: 'crashing', hang: 'hanging' }), 'does not work');
    for (const name of ['crash', 'hang']) {
      const isOver = ({ phase }: { phase: string }) => phase === 'rolled-back' || phase === 'failed';
      const ended = await rollout(fleet, name, sha, 'to be taken back', isOver, 150_000);
      expect(ended, ended.lines.join('\n')).toMatchObject({ phase: 'rolled-back' });
      expect(states(ended)).toMatchObject({ canary: 'restored', east: 'waiting' });
      const history = await fleet.client.rollouts.replay(ended.id);
      expect(times(history, 'restoring')).toHaveLength(1);
      expect(whenIn(history, /^target/, 'restoring')).toBeGreaterThan(Date.parse(windows[0]!.from));
      const { spec } = await fleet.kube('canary').get('apps/v1/Deployment', `${name}/${name}`);
      expect(spec.template.spec.containers[0].image).toBe(`shop/${name}:1`);
    }
  });
});

describe('a project whose sync windows are closed while a release is on its way', () => {
  /** Long enough for somebody to close the windows after it was applied. */
  const FAILS_AFTER = 12;
  const NAMES = ['passing', 'waiting', 'plain'];
  const project = (...syncWindows: unknown[]) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'closing' },
    spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }], syncWindows },
  });
  const closed = { kind: 'deny', schedule: '* * * * *', duration: '1h', clusters: ['*'] };
  const inCanary = (name: string, policy?: string) =>
    applicationSet(fleet.repository.url, name, {
      generators: [{ clusters: { selector: { matchLabels: { ring: 'canary' } } } }],
      applicationName: `${name}-{{name}}`,
      source: { path: name },
      destination: { name: '{{name}}', namespace: name },
      project: 'closing',
      ...(policy ? { annotations: { 'muster.dev/rollout-policy': policy } } : {}),
    });
  const images = (tag: string, names = NAMES) =>
    Object.fromEntries(
      names.map((name) => [
        `${name}/deployment.yaml`,
        deployment(name, `shop/${name}:${tag}`, 1, FAILS_AFTER),
      ]),
    );
  const runs = async (name: string, tag: string) => {
    const { spec } = await fleet.kube('canary').get('apps/v1/Deployment', `${name}/${name}`);
    return spec.template.spec.containers[0].image === `shop/${name}:${tag}`;
  };
  const signed = async (name: string) => {
    const select = 'select payload from assignments where application_name = $1';
    const [row] = await fleet.sql<{ payload: Buffer }>(select, [`${name}-canary`]);
    return Assignment.decode(row!.payload);
  };

  it('goes back through them, unless its policy has them hold that too; nothing else begins', async () => {
    await fleet.push(images('1'), 'works');
    await fleet.apply(project(), ...NAMES.map((name) => inCanary(name)));
    await fleet.synced(NAMES.map((name) => `${name}-canary`));
    const stages = [{ name: 'all' }];
    await fleet.apply(
      rolloutPolicy('passing', { stages }),
      rolloutPolicy('waiting', { stages, rollback: { windowsHold: true } }),
      inCanary('passing', 'passing'),
      inCanary('waiting', 'waiting'),
    );
    const sha = await fleet.push(images('broken', ['passing', 'waiting']), 'does not work');
    await eventually(async () => (await runs('passing', 'broken')) && runs('waiting', 'broken'), {
      what: 'the release in the canary',
    });
    await fleet.apply(project(closed));
    await fleet.push(images('2', ['plain']), 'later');

    const back = await rollout(
      fleet,
      'passing',
      sha,
      'to be taken back',
      ({ phase }) => phase !== 'running' && phase !== 'rolling-back',
    );
    expect(back, back.lines.join('\n')).toMatchObject({ phase: 'rolled-back' });
    expect(await runs('passing', '1')).toBe(true);
    expect(await signed('passing')).toMatchObject({
      despiteWindows: true,
      project: { windows: [{ deny: true }] },
    });

    await fleet.condition('plain-canary', /deny window is open/);
    const sync = await fleet.muster(token, 'app', 'sync', 'plain-canary');
    expect(sync.stderr).toContain('project closing lets nobody sync plain-canary until');
    const isHeld = ({ phase, lines }: { phase: string; lines: string[] }) =>
      phase === 'rolling-back' &&
      lines.some((line) => line.includes('a sync window of its project is closed'));
    await rollout(fleet, 'waiting', sha, 'to wait for the window', isHeld);
    expect(await cli('get', 'waiting')).toContain(
      'a sync window of its project is closed: a deny window is open',
    );
    const why = await fleet.muster(token, 'why', 'waiting-canary');
    expect(why.stdout).toContain('a sync window of its project is closed: a deny window is open');
    expect((await signed('waiting')).despiteWindows).toBe(false);
    expect([await runs('waiting', 'broken'), await runs('plain', '1')]).toEqual([true, true]);

    await fleet.apply(project());
    await rollout(fleet, 'waiting', sha, 'to be taken back', ({ phase }) => phase === 'rolled-back');
    expect(await runs('waiting', '1')).toBe(true);
    await eventually(() => runs('plain', '2'), { what: 'what was held' });
  });
});

describe('a target that cannot be given the release', () => {
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'full', namespace: 'stuck' },
    spec: { hard: { configmaps: '0' } },
  };
  const more = (name: string) => ({ [`stuck/${name}.yaml`]: configMap(name, { value: name }) });

  it('is tried again by hand once it can', async () => {
    // More than what goes later: prunes of more than half would wait for a confirmation.
    const base = { ...more('base'), ...more('other') };
    const first = await fleet.push({ ...settings('stuck', '1'), ...base }, 'stuck');
    await fleet.apply(set('stuck'));
    await fleet.synced(apps('stuck'), first);
    const defaults = { deadline: '25s', onFailure: 'stop' };
    await fleet.apply(rolloutPolicy('stuck', { defaults, stages: [{ name: 'all' }] }), set('stuck', 'stuck'));
    await fleet.kube('west').create(quota);
    const sha = await fleet.push({ ...settings('stuck', '2'), ...more('second') }, 'one more');
    const failed = await rollout(fleet, 'stuck', sha, 'to stop', ({ phase }) => phase === 'failed', 90_000);
    expect(states(failed)).toMatchObject({ west: 'failed', canary: 'done', east: 'done' });
    await fleet.kube('west').delete('v1/ResourceQuota', 'stuck/full');
    await cli('retry', 'stuck', '--reason', 'there is room again');
    await completed('stuck', sha);
    expect(new Set(await values('stuck'))).toEqual(new Set(['2']));
  });

  it('is passed over by hand', async () => {
    await fleet.kube('west').create(quota);
    const sha = await fleet.push(more('third'), 'and one more');
    const waits = await rollout(fleet, 'stuck', sha, 'to wait for west alone', ({ targets }) =>
      targets.every(({ cluster, state }) => state === (cluster === 'west' ? 'assigned' : 'done')),
    );
    const { id } = waits.targets.find(({ cluster }) => cluster === 'west')!;
    await cli('skip', 'stuck', '--target', id, '--reason', 'no room');
    expect(states(await completed('stuck', sha))).toMatchObject({ west: 'skipped', east: 'done' });
    await fleet.kube('west').delete('v1/ResourceQuota', 'stuck/full');
  });

  it('goes back with all others to an earlier release, by its number', async () => {
    const { items } = await fleet.client.rollouts.list({ owner: 'argocd/stuck' });
    const numbers = items.map(({ from }) => Number(/^release (\d+)/.exec(from!.label)![1]));
    await cli('undo', 'stuck', '--to', String(Math.min(...numbers)), '--reason', 'as it was');
    const undone = await eventually(
      async (see) => {
        const now = see((await fleet.client.rollouts.list({ owner: 'argocd/stuck' })).items);
        return now.find(
          ({ id, phase }) => phase === 'completed' && items.every((before) => before.id !== id),
        );
      },
      { what: 'the undo to be complete', timeout: 60_000 },
    );
    expect(new Set(await values('stuck'))).toEqual(new Set(['1']));
    for (const { name, kube } of fleet.all)
      for (const extra of ['second', 'third'])
        expect(await kube.find('v1/ConfigMap', `stuck/${extra}`), `${extra} in ${name}`).toBeUndefined();
    const { transitions } = await fleet.client.rollouts.replay(undone.id);
    expect(transitions.filter(({ to }) => to === 'assigned')).toHaveLength(ALL.length);
  });
});
