import { describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment } from './testing/objects.ts';

const on = agentFixture('commands');
const { joined, result, settled, start } = on;

describe('a command', () => {
  it('carries out commands: sync where nothing is automated, diff, dry run, refresh', async () => {
    await joined();
    await on.hub.assign({ name: 'manual', policy: { automated: false }, objects: [configMap('manual')] });
    await settled('manual', 'OutOfSync', 'Missing');
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/manual')).toBeUndefined();
    const diff = await result(on.hub.command('manual', { $case: 'diff', value: {} }));
    expect(JSON.parse(diff.message).resources).toMatchObject([
      { kind: 'ConfigMap', name: 'manual', state: 'missing' },
    ]);
    const dry = on.hub.sync('manual', { dryRun: true });
    expect((await result(dry)).outcome).toBe(1);
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/manual')).toBeUndefined();
    const sync = on.hub.sync('manual');
    expect((await result(sync)).outcome).toBe(1);
    expect((await settled('manual')).operation?.commandId).toBe(sync);
    expect((await result(on.hub.command('manual', { $case: 'refresh', value: {} }))).outcome).toBe(1);
    expect((await result(on.hub.command('nobody', { $case: 'refresh', value: {} }))).outcome).toBe(2);
    const expired = on.hub.command('manual', { $case: 'refresh', value: {} }, { expiresAtMs: 1n });
    expect((await result(expired)).outcome).toBe(5);
  });

  it('reports the outcome of a command as unknown when it was killed in the middle', async () => {
    await joined();
    await on.hub.assign({ name: 'cut', policy: { automated: false }, objects: [configMap('cut')] });
    await settled('cut', 'OutOfSync', 'Missing');
    const api = on.cluster.pids['kube-apiserver'];
    process.kill(api, 'SIGSTOP');
    const id = on.hub.sync('cut');
    await eventually(async () => (await on.agent.tail(50)).includes('"command"'), {
      what: 'the command to begin',
    });
    await on.agent.kill();
    process.kill(api, 'SIGCONT');
    on.agent = await start();
    const outcome = await result(id);
    expect(outcome.outcome).toBe(4);
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/cut')).toBeUndefined();
  });

  it('ends a sync by command, and goes back to what was applied when the assignment does', async () => {
    await joined();
    const good = [configMap('back'), deployment('back')];
    await on.hub.assign({ name: 'back', objects: good });
    await settled('back');
    await on.hub.assign({
      name: 'back',
      objects: [configMap('back', { a: '2' }), { ...deployment('back'), spec: { replicas: 'x' } }],
    });
    await eventually((see) => see(on.hub.status('back')?.operation)?.phase === 'Failed', {
      what: 'the failure',
    });
    await on.hub.assign({ name: 'back', objects: good });
    const status = await settled('back');
    expect(status.operation?.phase).toBe('Succeeded');
    expect(status.conditions).toEqual([]);
    expect((await result(on.hub.command('back', { $case: 'terminate', value: {} }))).outcome).toBe(2);
  });
});
