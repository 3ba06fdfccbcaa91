import { describe, expect, it } from 'vitest';
import { Action, CommandOutcome } from '@muster/proto/records';
import { eventually } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment, hookJob, SYNC_OPTIONS, SYNC_WAVE } from './testing/objects.ts';

const on = agentFixture('removal', { MUSTER_AGENT_WAVE_PAUSE: '0' });
const { find, gone, joined, operation, reportedGone, result, start } = on;
const synced = (name: string) => on.ended(name, 'Succeeded');

describe('an Application that is uninstalled', () => {
  it('runs PreDelete hooks while its objects are there, and PostDelete hooks after', async () => {
    await joined();
    await on.hub.assign({
      name: 'hooked',
      objects: [
        hookJob('hooked-pre', 'PreDelete', 'broken'),
        hookJob('hooked-post', 'PostDelete'),
        configMap('hooked'),
      ],
    });
    await synced('hooked');
    expect(on.hub.status('hooked')!.conditions).toEqual([]);
    expect(await find('batch/v1/Job', 'hooked-pre')).toBeUndefined();
    await on.hub.assign({ name: 'hooked', action: Action.UNINSTALL });
    const hook = await eventually(() => find('batch/v1/Job', 'hooked-pre'), { what: 'the PreDelete hook' });
    await eventually(() => operation('hooked')?.message.includes('completion of hook'), {
      what: 'the removal to say what it waits for',
    });
    // Another process goes on with the same hook.
    await on.agent.kill();
    const hellos = on.hub.hellos.length;
    on.agent = await start();
    await eventually(() => on.hub.hellos.length > hellos, { what: 'the agent to come back' });
    expect(await find('v1/ConfigMap', 'hooked')).toBeDefined();
    expect((await find('batch/v1/Job', 'hooked-pre'))?.metadata.uid).toBe(hook.metadata.uid);
    await succeed('hooked-pre');
    await gone('v1/ConfigMap', 'hooked');
    await reportedGone('hooked');
    const post = (await find('batch/v1/Job', 'hooked-post'))!;
    expect((post.status as { succeeded?: number }).succeeded).toBe(1);
    expect(post.metadata.finalizers ?? []).toEqual([]);
  });

  it('keeps everything while a PreDelete hook fails, and says so', async () => {
    await joined();
    await on.hub.assign({
      name: 'guarded',
      objects: [hookJob('guarded-pre', 'PreDelete', 'failing'), configMap('guarded')],
    });
    await synced('guarded');
    await on.hub.assign({ name: 'guarded', action: Action.UNINSTALL });
    await eventually(() => operation('guarded')?.message.includes('nothing was deleted'), {
      what: 'the failure to be shown',
    });
    expect(operation('guarded')!.message).toContain('guarded-pre');
    expect(operation('guarded')!.phase).toBe('Error');
    expect(await find('v1/ConfigMap', 'guarded')).toBeDefined();
    // Assigned again, it stays.
    await on.hub.assign({ name: 'guarded', objects: [configMap('guarded')] });
    await synced('guarded');
    expect(await find('v1/ConfigMap', 'guarded')).toBeDefined();
  });

  it('waits for someone to confirm what says Delete=confirm, and deletes nothing before', async () => {
    await joined();
    const confirm = { [SYNC_OPTIONS]: 'Delete=confirm' };
    await on.hub.assign({
      name: 'asking',
      objects: [configMap('asking', { a: '1' }, confirm), configMap('beside')],
    });
    await synced('asking');
    await on.hub.assign({ name: 'asking', action: Action.UNINSTALL });
    await eventually(
      () => on.hub.status('asking')?.conditions.find(({ type }) => type === 'DeleteConfirmation'),
      { what: 'the condition' },
    );
    expect(operation('asking')!.message).toContain('nothing is deleted until someone confirms');
    expect(await find('v1/ConfigMap', 'beside')).toBeDefined();
    const id = on.hub.command('asking', { $case: 'confirm', value: { resources: [] } });
    expect((await result(id)).outcome).toBe(CommandOutcome.SUCCEEDED);
    await gone('v1/ConfigMap', 'asking');
    await gone('v1/ConfigMap', 'beside');
  });

  it('deletes wave by wave from the last to the first, the next when the one before is gone', async () => {
    await joined();
    await on.hub.assign({
      name: 'waves',
      objects: [
        configMap('wave-first', { a: '1' }, { [SYNC_WAVE]: '-1' }),
        configMap('wave-last', { a: '1' }, { [SYNC_WAVE]: '3' }),
      ],
    });
    await synced('waves');
    const finalizers = ['example.org/held'];
    await on.cluster.kube.patch('v1/ConfigMap', 'default/wave-last', { metadata: { finalizers } });
    await on.hub.assign({ name: 'waves', action: Action.UNINSTALL });
    await eventually(
      async () => (await find('v1/ConfigMap', 'wave-last'))?.metadata['deletionTimestamp'] !== undefined,
      { what: 'the last wave to be deleted' },
    );
    expect((await find('v1/ConfigMap', 'wave-first'))?.metadata['deletionTimestamp']).toBeUndefined();
    await on.cluster.kube.patch('v1/ConfigMap', 'default/wave-last', { metadata: { finalizers: null } });
    await reportedGone('waves');
    expect(await find('v1/ConfigMap', 'wave-first')).toBeUndefined();
  });

  it('goes on at once where its tombstone says that the deletion was approved', async () => {
    await joined();
    const confirm = { [SYNC_OPTIONS]: 'Delete=confirm' };
    await on.hub.assign({ name: 'approved', objects: [configMap('approved', { a: '1' }, confirm)] });
    await synced('approved');
    await on.hub.assign({ name: 'approved', action: Action.UNINSTALL });
    await eventually(() => on.condition('approved', 'DeleteConfirmation'), { what: 'the condition' });
    const extra = { deletionApprovedMs: BigInt(Date.now()) };
    await on.hub.assign({ name: 'approved', action: Action.UNINSTALL, extra });
    await reportedGone('approved');
    expect(await find('v1/ConfigMap', 'approved')).toBeUndefined();
  });

  it('ends a PreDelete hook that is terminated, deletes nothing, and goes on without it once confirmed', async () => {
    await joined();
    const objects = [hookJob('ended-pre', 'PreDelete', 'broken'), configMap('ended')];
    await on.hub.assign({ name: 'ended', objects });
    await synced('ended');
    await on.hub.assign({ name: 'ended', action: Action.UNINSTALL });
    await eventually(() => find('batch/v1/Job', 'ended-pre'), { what: 'the PreDelete hook' });
    const answer = await result(on.hub.command('ended', { $case: 'terminate', value: {} }));
    expect(answer.outcome).toBe(CommandOutcome.SUCCEEDED);
    await on.ended('ended', 'Terminated');
    await gone('batch/v1/Job', 'ended-pre');
    expect(on.condition('ended', 'DeleteConfirmation')).toContain('leaves its PreDelete hooks out');
    // Nor does it go on in another process.
    await on.agent.stop();
    on.agent = await start();
    await on.hub.assign({ name: 'beside-ended', objects: [configMap('beside-ended')] });
    await synced('beside-ended');
    expect(operation('ended')!.phase).toBe('Terminated');
    expect(await find('v1/ConfigMap', 'ended')).toBeDefined();
    await result(on.hub.command('ended', { $case: 'confirm', value: { resources: [] } }));
    await reportedGone('ended');
    expect(await find('v1/ConfigMap', 'ended')).toBeUndefined();
    expect(await find('batch/v1/Job', 'ended-pre')).toBeUndefined();
  });

  it('gives a PreDelete hook no longer than the deadline', async () => {
    await joined();
    await on.hub.assign({
      name: 'late',
      policy: { options: ['SyncDeadline=2s'] },
      objects: [hookJob('late-pre', 'PreDelete', 'broken'), configMap('late')],
    });
    await synced('late');
    await on.hub.assign({ name: 'late', action: Action.UNINSTALL });
    await eventually(() => on.condition('late', 'RemovalError')?.includes('deadline of 2 s'), {
      what: 'the deadline to be reported',
    });
    expect(await find('v1/ConfigMap', 'late')).toBeDefined();
  });

  it('stays while a PostDelete hook fails and says why, until someone terminates it', async () => {
    await joined();
    await on.hub.assign({
      name: 'cleanup',
      objects: [hookJob('cleanup-post', 'PostDelete', 'failing'), configMap('cleanup')],
    });
    await synced('cleanup');
    await on.hub.assign({ name: 'cleanup', action: Action.UNINSTALL });
    const reported = await eventually(() => on.condition('cleanup', 'RemovalError'), {
      what: 'the failure to be reported',
    });
    expect(reported).toContain('all objects were deleted, but a PostDelete hook failed');
    expect(reported).toContain('cleanup-post');
    expect(operation('cleanup')!.phase).toBe('Error');
    expect(await find('v1/ConfigMap', 'cleanup')).toBeUndefined();
    const first = (await find('batch/v1/Job', 'cleanup-post'))!.metadata.uid;
    await eventually(async () => (await find('batch/v1/Job', 'cleanup-post'))?.metadata.uid !== first, {
      what: 'the hook to be tried again',
    });
    expect(on.hub.gone).toEqual([]);
    await result(on.hub.command('cleanup', { $case: 'terminate', value: {} }));
    await reportedGone('cleanup');
  });

  it('holds nobody up with an object that does not go, and can be terminated', async () => {
    await joined();
    const held = ['h1', 'h2', 'h3', 'h4', 'h5'];
    const finalizers = ['example.org/held'];
    for (const name of held) {
      await on.hub.assign({ name, objects: [configMap(name)] });
      await synced(name);
      await on.cluster.kube.patch('v1/ConfigMap', `default/${name}`, { metadata: { finalizers } });
    }
    for (const name of held) await on.hub.assign({ name, action: Action.UNINSTALL });
    for (const name of held)
      await eventually((see) => see(operation(name))?.message.includes('example.org/held'), {
        what: `${name} to say what it waits for`,
      });
    await on.hub.assign({ name: 'other', objects: [configMap('other')] });
    await synced('other');
    await result(on.hub.command('h1', { $case: 'terminate', value: {} }));
    await on.ended('h1', 'Terminated');
    for (const name of held)
      await on.cluster.kube.patch('v1/ConfigMap', `default/${name}`, { metadata: { finalizers: null } });
    for (const name of held.slice(1)) await reportedGone(name);
    expect(on.hub.gone.length).toBe(4);
    await result(on.hub.command('h1', { $case: 'confirm', value: { resources: [] } }));
    await reportedGone('h1');
  });

  it('obeys the options that were assigned before, though its tombstone does not say them', async () => {
    await joined();
    await on.hub.assign({
      name: 'kept',
      policy: { options: ['Delete=false'] },
      objects: [configMap('kept')],
    });
    await synced('kept');
    await on.hub.assign({ name: 'kept', action: Action.UNINSTALL });
    await reportedGone('kept');
    expect((await find('v1/ConfigMap', 'kept'))?.metadata.annotations ?? {}).toEqual({});
  });

  it('deletes as the PrunePropagationPolicy says that was assigned before its tombstone', async () => {
    await joined();
    const made = async () =>
      (await on.cluster.kube.list('apps/v1/ReplicaSet', 'default')).filter(({ metadata }) =>
        metadata.name.startsWith('orphaning-'),
      );
    await on.hub.assign({
      name: 'orphaning',
      policy: { options: ['PrunePropagationPolicy=orphan'] },
      objects: [deployment('orphaning')],
    });
    await synced('orphaning');
    await eventually(async () => (await made()).length === 1, { what: 'the ReplicaSet' });
    await on.hub.assign({ name: 'orphaning', action: Action.UNINSTALL });
    await reportedGone('orphaning');
    expect(await find('apps/v1/Deployment', 'orphaning')).toBeUndefined();
    const [left] = await made();
    expect(left?.metadata['ownerReferences'] ?? []).toEqual([]);
  });
});

/** Ends the Pod of a Job that would never end. */
async function succeed(name: string): Promise<void> {
  const pod = await eventually(
    async () =>
      (await on.cluster.kube.list('v1/Pod', 'default')).find(({ metadata }) =>
        metadata.name?.startsWith(name),
      ),
    { what: 'the Pod of the hook' },
  );
  const terminated = { exitCode: 0, reason: 'Completed' };
  const container = { name: 'main', ready: false, restartCount: 0, image: 'job:broken', imageID: '' };
  const status = {
    phase: 'Succeeded',
    containerStatuses: [{ ...container, state: { terminated } }],
  };
  await on.cluster.kube.patch(
    'v1/Pod',
    `default/${pod.metadata.name}`,
    { status },
    { subresource: 'status' },
  );
}
