import { describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment, hookJob, SYNC_WAVE } from './testing/objects.ts';

const on = agentFixture('hooks', { MUSTER_AGENT_WAVE_PAUSE: '0' });
const { ended, find, joined, operation, settled, start } = on;

describe('an operation with hooks and waves', () => {
  it('runs the phases in order; a hook is released when it ends, and deleted where it says so', async () => {
    await joined();
    const policy = { 'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded' };
    await on.hub.assign({
      name: 'ordered',
      objects: [
        hookJob('ordered-pre', 'PreSync'),
        configMap('ordered-config'),
        hookJob('ordered-post', 'PostSync', 'ok', policy),
      ],
    });
    await ended('ordered', 'Succeeded');
    const pre = (await find('batch/v1/Job', 'ordered-pre'))!;
    expect(pre.metadata.finalizers ?? []).toEqual([]);
    const config = (await find('v1/ConfigMap', 'ordered-config'))!;
    const done = (pre.status as { completionTime: string }).completionTime;
    expect(Date.parse(config.metadata.creationTimestamp as string)).toBeGreaterThanOrEqual(Date.parse(done));
    await eventually(async () => !(await find('batch/v1/Job', 'ordered-post')), { what: 'the hook to go' });
    await eventually(() => on.hub.status('ordered')?.sync === 'Synced', { what: 'Synced' });
    expect(on.hub.status('ordered')!.resources.map(({ name }) => name)).toEqual(['ordered-config']);
    // Another release runs them anew.
    await on.hub.assign({
      name: 'ordered',
      objects: [hookJob('ordered-pre', 'PreSync'), configMap('ordered-config', { data: 'b' })],
    });
    await eventually(
      async () => {
        const now = await find('batch/v1/Job', 'ordered-pre');
        return now !== undefined && now.metadata.uid !== pre.metadata.uid;
      },
      { what: 'a new Job in place of the old one' },
    );
    await ended('ordered', 'Succeeded');
  });

  it('stops at a failed PreSync hook, runs SyncFail hooks, and does not begin again by itself', async () => {
    await joined();
    await on.hub.assign({
      name: 'failing',
      objects: [
        hookJob('failing-pre', 'PreSync', 'failing'),
        configMap('failing-config'),
        hookJob('failing-alarm', 'SyncFail'),
      ],
    });
    await ended('failing', 'Failed');
    expect(operation('failing')!.message).toContain('failing-pre');
    const hooks = operation('failing')!.hooks.map(({ step, name, status }) => `${step} ${name} ${status}`);
    expect(hooks).toEqual(['PreSync failing-pre Failed', 'SyncFail failing-alarm Succeeded']);
    expect(operation('failing')).toMatchObject({ step: '', waitsFor: [], nextTry: undefined });
    expect(await find('v1/ConfigMap', 'failing-config')).toBeUndefined();
    const alarm = (await find('batch/v1/Job', 'failing-alarm'))!;
    expect((alarm.status as { succeeded?: number }).succeeded).toBe(1);
    const { uid } = (await find('batch/v1/Job', 'failing-pre'))!.metadata;
    // Nor does an agent that starts anew.
    await on.agent.stop();
    const hellos = on.hub.hellos.length;
    on.agent = await start();
    await eventually(() => on.hub.hellos.length > hellos, { what: 'the agent to come back' });
    await on.hub.assign({ name: 'beside', objects: [configMap('beside')] });
    await ended('beside', 'Succeeded');
    expect((await find('batch/v1/Job', 'failing-pre'))!.metadata.uid).toBe(uid);
    expect(await find('v1/ConfigMap', 'failing-config')).toBeUndefined();
  });

  it('leaves the old version serving when a migration fails, and moves on with the release that repairs it', async () => {
    await joined();
    const release = (version: string, migration: string) => [
      hookJob('shop-migrate', 'PreSync', migration),
      deployment('shop', `web:${version}`),
      hookJob('shop-alarm', 'SyncFail'),
    ];
    const serving = async () => {
      const { spec, status } = (await find('apps/v1/Deployment', 'shop'))!;
      return [spec.template.spec.containers[0].image, status.updatedReplicas, status.availableReplicas];
    };
    await on.hub.assign({ name: 'shop', objects: release('v1', 'ok') });
    await settled('shop', 'Synced', 'Healthy');
    expect(await serving()).toEqual(['web:v1', 2, 2]);
    expect(await find('batch/v1/Job', 'shop-alarm')).toBeUndefined();
    await on.hub.assign({ name: 'shop', objects: release('v2', 'failing') });
    await ended('shop', 'Failed');
    expect(operation('shop')!.message).toContain('shop-migrate');
    expect((await find('batch/v1/Job', 'shop-alarm'))!.status.succeeded).toBe(1);
    expect(await serving()).toEqual(['web:v1', 2, 2]);
    await settled('shop', 'OutOfSync', 'Healthy');
    await on.hub.assign({ name: 'shop', objects: release('v3', 'ok') });
    await settled('shop', 'Synced', 'Healthy');
    expect((await serving())[0]).toBe('web:v3');
  });

  it('goes on with a hook after a restart, and never runs it twice', async () => {
    await joined();
    await on.hub.assign({
      name: 'restarted',
      objects: [hookJob('restarted-pre', 'PreSync', 'broken'), configMap('restarted-config')],
    });
    const before = await eventually(() => find('batch/v1/Job', 'restarted-pre'), { what: 'the hook' });
    await ended('restarted', 'Running');
    await on.agent.kill();
    on.agent = await start();
    await eventually(() => operation('restarted')?.message.includes('completion of hook'), {
      what: 'the operation to go on',
    });
    const { uid } = (await find('batch/v1/Job', 'restarted-pre'))!.metadata;
    expect(uid).toBe(before.metadata.uid);
    const pod = await eventually(
      async () =>
        (await on.cluster.kube.list('v1/Pod', 'default')).find(({ metadata }) =>
          metadata.name?.startsWith('restarted-pre'),
        ),
      { what: 'the Pod of the hook' },
    );
    const terminated = { exitCode: 0, reason: 'Completed' };
    const status = {
      phase: 'Succeeded',
      containerStatuses: [
        {
          name: 'main',
          ready: false,
          restartCount: 0,
          image: 'job:broken',
          imageID: '',
          state: { terminated },
        },
      ],
    };
    await on.cluster.kube.patch(
      'v1/Pod',
      `default/${pod.metadata.name}`,
      { status },
      { subresource: 'status' },
    );
    await ended('restarted', 'Succeeded');
    expect((await find('batch/v1/Job', 'restarted-pre'))!.metadata.uid).toBe(uid);
    expect(await find('v1/ConfigMap', 'restarted-config')).toBeDefined();
  });

  it('ends a hook that never does: by the deadline, and at once when someone terminates it', async () => {
    await joined();
    await on.hub.assign({
      name: 'late',
      policy: { options: ['SyncDeadline=3s'] },
      objects: [hookJob('late-pre', 'PreSync', 'broken'), configMap('late-config')],
    });
    await ended('late', 'Failed');
    expect(operation('late')!.message).toContain('deadline of 3 s');
    await eventually(async () => !(await find('batch/v1/Job', 'late-pre')), { what: 'the hook to be gone' });
    await on.hub.assign({ name: 'endless', objects: [hookJob('endless-pre', 'PreSync', 'broken')] });
    await eventually(() => operation('endless')?.message.includes('fails at'), {
      what: 'the deadline shown',
    });
    on.hub.command('endless', { $case: 'terminate', value: {} });
    await ended('endless', 'Terminated');
    await eventually(async () => !(await find('batch/v1/Job', 'endless-pre')), {
      what: 'the hook to be gone',
    });
    expect(await find('v1/ConfigMap', 'late-config')).toBeUndefined();
  });

  it('waits for the health of a wave; a wave that cannot become healthy gives way to a new release', async () => {
    await joined();
    const objects = (tag: string) => [
      deployment('waves', `web:${tag}`),
      configMap('waves-config', { a: '1' }, { [SYNC_WAVE]: '1' }),
    ];
    await on.hub.assign({ name: 'waves', objects: objects('broken') });
    await eventually(() => operation('waves')?.message.includes('healthy state of apps/Deployment/waves'), {
      what: 'the wave to be waited for',
    });
    const waves = { group: 'apps', kind: 'Deployment', namespace: 'default', name: 'waves' };
    expect(operation('waves')).toMatchObject({
      step: 'Sync',
      wave: 0,
      waitsFor: [{ ...waves, health: 'Progressing' }],
      waitsForTotal: 1,
      hooks: [],
    });
    expect(operation('waves')!.deadlineMs).toBeGreaterThan(operation('waves')!.startedAtMs);
    expect(await find('v1/ConfigMap', 'waves-config')).toBeUndefined();
    // Meanwhile other Applications have their turn.
    await on.hub.assign({ name: 'others', objects: [configMap('others')] });
    await ended('others', 'Succeeded');
    await on.hub.assign({ name: 'waves', objects: objects('fine') });
    await ended('waves', 'Succeeded');
    expect(await find('v1/ConfigMap', 'waves-config')).toBeDefined();
  });
});
