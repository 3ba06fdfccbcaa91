import { type KubeObject, readSystemSettings } from '@muster/kube';
import { describe, expect, it } from 'vitest';
import { healthCustomizations } from '@muster/kube/scripts';
import { differences, healthOf, planOf } from './offline.ts';

const map = (name: string, data: Record<string, string>, more: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data,
});

const rowsOf = async (...args: Parameters<typeof differences>) => (await differences(...args)).rows;

describe('offline verbs', () => {
  it('compare what the manifests say, and nothing that only the cluster has', async () => {
    const live = map('a', { x: '1', extra: 'y' }, { namespace: 'demo', uid: 'u', resourceVersion: '7' });
    expect(await rowsOf([map('a', { x: '1' })], [live], [], 'demo')).toEqual([]);
    expect(await rowsOf([map('a', { x: '2' })], [live], [], 'demo')).toMatchObject([
      { name: 'a', state: 'differs', fields: [{ path: 'data.x', from: '1', to: '2' }] },
    ]);
  });

  it('name what is missing and what is extra, and obey ignoreDifferences', async () => {
    const rows = await rowsOf([map('a', {})], [map('b', {}, { namespace: 'demo' })], [], 'demo');
    expect(rows.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'missing'],
      ['b', 'extra'],
    ]);
    const rules = [{ kind: 'ConfigMap', jsonPointers: ['/data/x'] }];
    expect(await rowsOf([map('a', { x: '2' })], [map('a', { x: '1' })], rules, '')).toEqual([]);
  });

  it('mask the values of Secrets', async () => {
    const secret = (value: string): KubeObject => ({
      ...map('s', {}),
      kind: 'Secret',
      data: { password: value },
    });
    const rows = await rowsOf([secret('bmV3')], [secret('b2xk')], [], '');
    expect(rows[0]?.fields[0]?.path).toBe('data.password');
    expect(JSON.stringify(rows)).not.toMatch(/bmV3|b2xk/);
  });

  it('say which guard holds a prune', () => {
    const kept = map('old', {}, { annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false' } });
    expect(planOf([map('new', {})], [kept], { namespace: 'demo' })).toMatchObject([
      { action: 'apply', name: 'new', phase: 'Sync', wave: 0, hook: false },
      { action: 'prune', name: 'old', held: expect.stringContaining('Prune=false') as string },
    ]);
  });

  it('say what guards keep: too much at once, and what holds data', () => {
    const rows = (desired: KubeObject[], live: KubeObject[]) =>
      planOf(desired, live, { namespace: 'demo' }).flatMap(({ name, held }) =>
        held ? [`${name}: ${held}`] : [],
      );
    const many = ['a', 'b', 'c', 'd'].map((name) => map(name, {}));
    expect(rows([map('a', {})], many)).toEqual([
      expect.stringContaining('b: 3 of 4 objects'),
      expect.stringContaining('c: 3 of 4 objects'),
      expect.stringContaining('d: 3 of 4 objects'),
    ]);
    const claim = { ...map('data', {}), kind: 'PersistentVolumeClaim', status: { phase: 'Bound' } };
    expect(rows(many, [...many, claim])).toEqual([expect.stringContaining('data: it holds data')]);
    expect(rows([], [map('a', {})])).toEqual([expect.stringContaining('a: the release is empty')]);
  });

  it('judge by the checks of an argocd-cm, in both its forms', () => {
    const script = 'return {status = "Degraded", message = obj.data.x}';
    const forms: Record<string, string>[] = [
      { 'resource.customizations.health.ConfigMap': script },
      { 'resource.customizations': `ConfigMap:\n  health.lua: '${script}'\n` },
    ];
    for (const data of forms) {
      const options = healthCustomizations(readSystemSettings(data, 'cm.yaml').health, { now: () => 0 });
      expect(healthOf([map('a', { x: 'why' })], options)).toMatchObject([
        { status: 'Degraded', message: 'why' },
      ]);
    }
  });

  it('give a kind without a check no health', () => {
    expect(healthOf([map('a', {})])).toEqual([
      { group: '', kind: 'ConfigMap', namespace: '', name: 'a', status: null, message: '' },
    ]);
  });
});
