import { describe, expect, it } from 'vitest';
import { CommandOutcome } from '@muster/proto/records';
import { eventually, freePort } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, job, SYNC_OPTIONS } from './testing/objects.ts';

const on = agentFixture('options', { MUSTER_AGENT_WAVE_PAUSE: '0' });
const { ended, find, joined, operation, result } = on;

const uidOf = async (kind: string, name: string) => (await find(kind, name))?.metadata.uid;

/** The release of this generation has been applied. */
const synced = (name: string) =>
  eventually((see) => see(on.hub.status(name))?.sync === 'Synced' && operation(name)?.phase === 'Succeeded', {
    what: `${name} to be Synced`,
  });

const hour = 3_600_000;
const window = {
  deny: true,
  schedule: '* * * * *',
  timeZone: 'Europe/Berlin',
  durationMs: 3_600_000n,
  manualSync: false,
};
const limits = (windows: (typeof window)[]) => ({
  project: {
    name: 'default',
    namespaces: ['*'],
    clusterResourceAllow: [{ group: '*', kind: '*' }],
    clusterResourceDeny: [],
    namespaceResourceAllow: [],
    namespaceResourceDeny: [],
    namespaceAllowListed: false,
    serviceAccounts: [],
    needsServiceAccount: false,
    windows,
  },
});

describe('options of a sync', () => {
  it('Replace puts the whole object in the place of what is there', async () => {
    await joined();
    await on.hub.assign({ name: 'replaced', objects: [configMap('replaced', { a: '1' })] });
    await synced('replaced');
    const uid = await uidOf('v1/ConfigMap', 'replaced');
    await on.cluster.kube.patch('v1/ConfigMap', 'default/replaced', { data: { stray: 'x' } });
    await on.hub.assign({
      name: 'replaced',
      objects: [configMap('replaced', { a: '2' }, { [SYNC_OPTIONS]: 'Replace=true' })],
    });
    await eventually(async () => (await find('v1/ConfigMap', 'replaced'))?.data?.a === '2', { what: 'a: 2' });
    const after = (await find('v1/ConfigMap', 'replaced'))!;
    expect(after.data).toEqual({ a: '2' });
    expect(after.metadata.uid).toBe(uid);
    await synced('replaced');
  });

  it('what is put as a whole has drifted only where the manifest says something else', async () => {
    await joined();
    const manifest = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'whole', annotations: { [SYNC_OPTIONS]: 'Replace=true' } },
      spec: {
        selector: { matchLabels: { app: 'whole' } },
        template: {
          metadata: { labels: { app: 'whole' } },
          spec: {
            containers: [
              {
                name: 'main',
                image: 'web:1',
                resources: { requests: { cpu: '1000m' } },
                // Server-side apply refuses one name twice.
                env: [
                  { name: 'TWICE', value: '1' },
                  { name: 'TWICE', value: '2' },
                ],
              },
            ],
          },
        },
      },
    };
    const extra = { labels: { made: 'by-hand' }, namespace: 'default' };
    await on.cluster.kube.create({ ...manifest, metadata: { ...manifest.metadata, ...extra } } as never);
    await on.hub.assign({ name: 'whole', objects: [manifest] });
    await synced('whole');
    expect((await find('apps/v1/Deployment', 'whole'))?.metadata.labels).not.toHaveProperty('made');
    // What others add, controllers among them, is theirs.
    const others = { metadata: { labels: { team: 'x' }, annotations: { note: 'y' } }, spec: { replicas: 3 } };
    await on.cluster.kube.patch('apps/v1/Deployment', 'default/whole', others, { fieldManager: 'scaler' });
    const image = { spec: { template: { spec: { containers: [{ name: 'main', image: 'web:2' }] } } } };
    await result(on.hub.command('whole', { $case: 'refresh', value: {} }));
    const diff = await result(on.hub.command('whole', { $case: 'diff', value: {} }));
    expect(JSON.parse(diff.message).resources).toEqual([]);
    expect((await find('apps/v1/Deployment', 'whole'))?.spec).toMatchObject({ replicas: 3 });
    await on.cluster.kube.patch('apps/v1/Deployment', 'default/whole', image, { fieldManager: 'someone' });
    const drift = await eventually(() => on.resource('whole', 'whole')?.drift, { what: 'the drift' });
    const path = 'spec.template.spec.containers[name=main].image';
    expect(drift.fields).toContainEqual({ path, expected: '"web:1"', actual: '"web:2"' });
    await eventually(
      async () =>
        JSON.stringify((await find('apps/v1/Deployment', 'whole'))?.spec).includes('"image":"web:1"'),
      { what: 'the heal' },
    );
    await synced('whole');
  });

  it('Force makes anew what cannot be changed, but nothing that holds data', async () => {
    await joined();
    await on.hub.assign({ name: 'forced', objects: [job('forced', '1')] });
    await synced('forced');
    const uid = await uidOf('batch/v1/Job', 'forced');
    await on.hub.assign({ name: 'forced', objects: [job('forced', '2')] });
    await ended('forced', 'Failed');
    expect(operation('forced')!.message).toContain('immutable');
    await on.hub.assign({ name: 'forced', objects: [job('forced', '2', { [SYNC_OPTIONS]: 'Force=true' })] });
    await ended('forced', 'Succeeded');
    expect(await uidOf('batch/v1/Job', 'forced')).not.toBe(uid);
    const claim = (storage: string) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'held', annotations: { [SYNC_OPTIONS]: 'Force=true' } },
      spec: { accessModes: [storage], resources: { requests: { storage: '1Gi' } } },
    });
    await on.hub.assign({ name: 'claims', objects: [claim('ReadWriteOnce')] });
    const claimed = await eventually(() => uidOf('v1/PersistentVolumeClaim', 'held'), { what: 'the claim' });
    await on.hub.assign({ name: 'claims', objects: [claim('ReadWriteMany')] });
    await ended('claims', 'Failed');
    expect(operation('claims')!.message).toContain('Force makes no PersistentVolumeClaim anew');
    expect(await uidOf('v1/PersistentVolumeClaim', 'held')).toBe(claimed);
  });

  it('Replace with Force makes an object anew at each sync', async () => {
    await joined();
    await on.hub.assign({
      name: 'anew',
      objects: [job('anew', '1', { [SYNC_OPTIONS]: 'Replace=true,Force=true' })],
    });
    await ended('anew', 'Succeeded');
    const uid = await uidOf('batch/v1/Job', 'anew');
    expect((await result(on.hub.sync('anew'))).outcome).toBe(CommandOutcome.SUCCEEDED);
    expect(await uidOf('batch/v1/Job', 'anew')).not.toBe(uid);
  });

  it('Validate=false leaves out fields that a type does not have, where else they are an error', async () => {
    await joined();
    const odd = (options: string) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'odd', annotations: { [SYNC_OPTIONS]: options } },
      spec: { ports: [{ port: 80, protocol: 'TCP', colour: 'red' }], shape: 'round' },
    });
    await on.hub.assign({ name: 'odd', objects: [odd('Validate=true')] });
    await ended('odd', 'Failed');
    expect(operation('odd')!.message).toContain('not declared in schema');
    await on.hub.assign({ name: 'odd', objects: [odd('Validate=false')] });
    await synced('odd');
    expect((await find('v1/Service', 'odd'))?.spec).toMatchObject({ ports: [{ port: 80 }] });
  });

  it('a retry policy is obeyed: so many tries, hooks included, then no more', async () => {
    await joined();
    const hook = job('tried', 'failing');
    const annotations = { 'argocd.argoproj.io/hook': 'PreSync' };
    await on.hub.assign({
      name: 'retried',
      policy: { retry: { limit: 2, firstMs: 200n, factor: 1, longestMs: 1_000n } },
      objects: [{ ...hook, metadata: { ...hook.metadata, annotations } }, configMap('retried', {})],
    });
    const next = await eventually(() => operation('retried')?.nextTry, { what: 'the next try to be shown' });
    expect(next.limit).toBe(2);
    await eventually(() => operation('retried')?.message.includes('tried 3 times'), {
      what: 'the retries to end',
    });
    expect(operation('retried')!.retries).toBe(2);
    const uid = await uidOf('batch/v1/Job', 'tried');
    await on.hub.assign({ name: 'other', objects: [configMap('other', {})] });
    await ended('other', 'Succeeded');
    expect(await uidOf('batch/v1/Job', 'tried')).toBe(uid);
    expect(await find('v1/ConfigMap', 'retried')).toBeUndefined();
  });

  it('a policy that only says when to sync begins no sync, so runs no hook again', async () => {
    await joined();
    const hook = { ...job('once', 'ok') };
    const annotations = { 'argocd.argoproj.io/hook': 'PreSync' };
    const objects = [{ ...hook, metadata: { ...hook.metadata, annotations } }, configMap('once', { a: '1' })];
    await on.hub.assign({ name: 'once', objects });
    await synced('once');
    const uid = await uidOf('batch/v1/Job', 'once');
    const retry = { limit: 1, firstMs: 1_000n, factor: 2, longestMs: 1_000n };
    const { version } = await on.hub.assign({ name: 'once', objects, policy: { retry, selfHeal: false } });
    await eventually(() => on.hub.status('once')?.version?.generation === version.generation, {
      what: 'a report of the new assignment',
    });
    await result(on.hub.command('once', { $case: 'refresh', value: {} }));
    expect(await uidOf('batch/v1/Job', 'once')).toBe(uid);
  });

  it('a sync of some resources leaves the others, and hooks, alone', async () => {
    await joined();
    const annotations = { 'argocd.argoproj.io/hook': 'PreSync' };
    const hook = { ...job('chosen-hook', 'ok') };
    await on.hub.assign({
      name: 'chosen',
      policy: { automated: false },
      objects: [
        { ...hook, metadata: { ...hook.metadata, annotations } },
        configMap('chosen', { a: '1' }),
        configMap('unchosen', { a: '1' }),
      ],
    });
    await eventually(() => on.hub.status('chosen')?.sync === 'OutOfSync', { what: 'OutOfSync' });
    const misspelt = await result(on.hub.sync('chosen', { resources: [':ConfigMap:choosen'] }));
    expect(misspelt.outcome).toBe(CommandOutcome.FAILED);
    expect(misspelt.message).toContain('no resource of the Application is :ConfigMap:choosen');
    expect((await result(on.hub.sync('chosen', { resources: [':ConfigMap:chosen'] }))).outcome).toBe(
      CommandOutcome.SUCCEEDED,
    );
    expect(await find('v1/ConfigMap', 'chosen')).toBeDefined();
    expect(await find('v1/ConfigMap', 'unchosen')).toBeUndefined();
    expect(await find('batch/v1/Job', 'chosen-hook')).toBeUndefined();
    expect(on.hub.status('chosen')?.sync).toBe('OutOfSync');
  });

  it('a sync by command that fails is followed by the sync that was announced, and leaves no error', async () => {
    await joined();
    await on.hub.assign({ name: 'misspelt', objects: [configMap('misspelt', { a: '1' })] });
    await eventually(() => on.hub.status('misspelt')?.operation?.phase === 'Succeeded', {
      what: 'its first sync',
    });
    const asked = await result(on.hub.sync('misspelt', { resources: [':ConfigMap:mispelt'] }));
    expect(asked.outcome).toBe(CommandOutcome.FAILED);
    await eventually(() => on.hub.status('misspelt')?.operation?.phase === 'Failed', { what: 'its failure' });
    const calm = () => {
      const { operation, conditions } = on.hub.status('misspelt')!;
      return operation?.commandId === '' && operation.phase === 'Succeeded' && conditions.length === 0;
    };
    await eventually(calm, { what: 'the next sync' });
  });

  it('a sync window that is closed holds syncs and self-heal back; manualSync lets a command through', async () => {
    await joined();
    const open = [configMap('windowed', { a: '1' })];
    await on.hub.assign({ name: 'windowed', objects: open, extra: limits([window]) });
    const condition = await eventually(
      () => on.hub.status('windowed')?.conditions.find(({ type }) => type === 'SyncWindow'),
      { what: 'the condition' },
    );
    expect(condition.message).toContain('no sync begins by itself until');
    const refused = await result(on.hub.sync('windowed'));
    expect(refused.outcome).toBe(CommandOutcome.FAILED);
    expect(refused.message).toContain('a deny window is open ("* * * * *" Europe/Berlin for 1h)');
    expect(await find('v1/ConfigMap', 'windowed')).toBeUndefined();
    expect((await result(on.hub.sync('windowed', { dryRun: true }))).message).toContain('1 to apply');
    await on.hub.assign({
      name: 'windowed',
      objects: open,
      extra: limits([{ ...window, manualSync: true }]),
    });
    expect((await result(on.hub.sync('windowed'))).outcome).toBe(CommandOutcome.SUCCEEDED);
    await synced('windowed');
    await on.cluster.kube.patch('v1/ConfigMap', 'default/windowed', { data: { a: '2' } });
    await eventually(() => on.hub.status('windowed')?.sync === 'OutOfSync', { what: 'the drift to be seen' });
    expect((await find('v1/ConfigMap', 'windowed'))?.data?.a).toBe('2');
    await on.hub.assign({ name: 'windowed', objects: open, extra: limits([]) });
    await eventually(async () => (await find('v1/ConfigMap', 'windowed'))?.data?.a === '1', {
      what: 'the drift to be healed',
    });
    await eventually(() => !on.hub.status('windowed')!.conditions.some(({ type }) => type === 'SyncWindow'), {
      what: 'the condition to go',
    });
  });

  it('sync windows go by the hub’s clock, also after a restart without the hub; what takes a release back is not held', async () => {
    const port = await freePort();
    await on.openHub();
    on.hub.clockAheadMs = 12 * hour;
    on.agent = await on.start({ MUSTER_AGENT_HEALTH_PORT: String(port) });
    const denying = (sinceMs: number) => {
      const from = new Date(Date.now() + on.hub.clockAheadMs - sinceMs);
      const schedule = `${from.getUTCMinutes()} ${from.getUTCHours()} * * *`;
      return limits([{ ...window, schedule, timeZone: 'UTC', durationMs: BigInt(hour) }]);
    };
    const objects = [configMap('skewed', { a: '1' })];
    await on.hub.assign({ name: 'skewed', objects, extra: denying(hour / 2) });
    await eventually(() => on.condition('skewed', 'SyncWindow')?.includes('a deny window is open'), {
      what: 'the window to hold it',
    });
    await on.hub.assign({
      name: 'past',
      objects: [configMap('past', { a: '1' })],
      extra: denying(1.1 * hour),
    });
    await synced('past');
    expect(await find('v1/ConfigMap', 'skewed')).toBeUndefined();

    on.hub.kill();
    await on.agent.stop();
    on.agent = await on.start({ MUSTER_AGENT_HEALTH_PORT: String(port) });
    await eventually(
      async (see) => {
        const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
        const [, offset] = see(/^muster_agent_hub_clock_offset_seconds (.+)$/m.exec(metrics)) ?? [];
        return Math.round(Number(offset) / 60) === 12 * 60;
      },
      { what: 'the agent to know how far its clock is off' },
    );
    await on.hub.restart();
    const despiteWindows = true;
    await on.hub.assign({ name: 'skewed', objects, extra: { ...denying(hour / 2), despiteWindows } });
    await synced('skewed');
    await on.cluster.kube.patch('v1/ConfigMap', 'default/skewed', { data: { a: '2' } });
    await eventually(() => on.hub.status('skewed')?.sync === 'OutOfSync', { what: 'the drift to be seen' });
    await eventually(() => on.condition('skewed', 'SyncWindow'), {
      what: 'its drift to wait for the window',
    });
    expect((await find('v1/ConfigMap', 'skewed'))?.data?.a).toBe('2');
  });

  it('a dry run says what a sync would do, and terminating ends what is tried again', async () => {
    await joined();
    const broken = { ...configMap('stuck', {}), data: 'not a map' } as never;
    await on.hub.assign({
      name: 'stuck',
      policy: { retry: { limit: -1, firstMs: 300_000n, factor: 1, longestMs: 300_000n } },
      objects: [broken],
    });
    await ended('stuck', 'Failed');
    const answer = await result(on.hub.command('stuck', { $case: 'terminate', value: {} }));
    expect(answer.outcome).toBe(CommandOutcome.SUCCEEDED);
    await eventually(() => on.hub.status('stuck')?.operation?.nextTry === undefined, {
      what: 'that no next try is announced any more',
    });
    const again = await result(on.hub.command('stuck', { $case: 'terminate', value: {} }));
    expect(again.outcome).toBe(CommandOutcome.FAILED);
  });
});
