import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { applicationSet, configMap, deployment, rolloutPolicy } from './testing/documents.ts';

let fleet: Fleet;
const ALL = ['canary', 'other'];

beforeAll(async () => {
  fleet = await startFleet({
    env: { MUSTER_POLL_SECONDS: '3600' },
    clusters: { canary: { ring: 'canary' }, other: { ring: 'rest' } },
  });
});
afterAll(() => fleet?.stop());

/** `NAME-CLUSTER` in each cluster, which waits for something. */
function set(name: string, dependsOn?: string, policy?: string) {
  const made = applicationSet(fleet.repository.url, name, {
    generators: [{ clusters: {} }],
    applicationName: `${name}-{{name}}`,
    source: { path: name },
    destination: { name: '{{name}}', namespace: name },
    ...(policy ? { annotations: { 'muster.dev/rollout-policy': policy } } : {}),
  }) as { spec: { template: { metadata: Record<string, unknown> } } };
  if (dependsOn) made.spec.template.metadata['annotations'] = { 'muster.dev/depends-on': dependsOn };
  return made as unknown as Record<string, unknown>;
}
const database = (tag: string) => ({
  'database/deployment.yaml': deployment('database', `shop/database:${tag}`, 1),
});
const settings = (name: string, value: string) => ({
  [`${name}/settings.yaml`]: configMap('settings', { value }),
});
const valueIn = async (cluster: string, name: string): Promise<string | undefined> => {
  const found = await fleet.kube(cluster).find('v1/ConfigMap', `${name}/settings`);
  return found?.data.value as string | undefined;
};
const apps = (name: string) => ALL.map((cluster) => `${name}-${cluster}`);

describe('an Application that waits for a database on its cluster', () => {
  it('is deployed once that is healthy, and says until then what it waits for', async () => {
    await fleet.push({ ...database('broken'), ...settings('web', 'first') }, 'first');
    await fleet.apply(set('web', 'database-{{name}}'), set('database'));
    await fleet.condition(
      'web-other',
      /^waits for Application argocd\/database-other on cluster other: (Progressing|Degraded)/,
    );
    expect(await Promise.all(ALL.map((cluster) => valueIn(cluster, 'web')))).toEqual([undefined, undefined]);
    await fleet.push(database('1'), 'repaired');
    await fleet.synced([...apps('database'), ...apps('web')]);
    for (const cluster of ALL) {
      const kube = fleet.kube(cluster);
      const { metadata } = await kube.get('v1/ConfigMap', 'web/settings');
      const { status } = await kube.get('apps/v1/Deployment', 'database/database');
      const available = status.conditions.find(({ type }: { type: string }) => type === 'Available');
      expect(Date.parse(metadata.creationTimestamp!)).toBeGreaterThanOrEqual(
        Date.parse(available.lastTransitionTime),
      );
    }
  });

  it('gets what one commit changes in both after the database has it', async () => {
    await fleet.push({ ...database('broken'), ...settings('web', 'second') }, 'both');
    await eventually(
      async () => {
        const { spec } = await fleet.kube('canary').get('apps/v1/Deployment', 'database/database');
        return spec.template.spec.containers[0].image === 'shop/database:broken';
      },
      { what: 'the database to be changed' },
    );
    expect(await Promise.all(ALL.map((cluster) => valueIn(cluster, 'web')))).toEqual(['first', 'first']);
    await fleet.push(database('2'), 'repaired again');
    await eventually(
      async () =>
        (await Promise.all(ALL.map((cluster) => valueIn(cluster, 'web')))).every((one) => one === 'second'),
      { what: 'web to follow' },
    );
  });
});

describe('a stage that waits for a stage of another set', () => {
  it('begins when that has passed', async () => {
    const canary = { name: 'canary', clusters: { matchLabels: { ring: 'canary' } } };
    const go = { name: 'go', at: 'end', approval: {} };
    await fleet.apply(
      rolloutPolicy('platform', { stages: [{ ...canary, gates: [go] }, { name: 'rest' }] }),
      rolloutPolicy('site', {
        stages: [
          { ...canary, dependsOn: [{ applicationSet: 'platform', stage: 'canary' }] },
          { name: 'rest' },
        ],
      }),
    );
    await fleet.push({ ...settings('platform', '1'), ...settings('site', '1') }, 'platform and site');
    await fleet.apply(set('platform', undefined, 'platform'), set('site', undefined, 'site'));
    const newest = async (owner: string) => {
      const [rollout] = (await fleet.client.rollouts.list({ owner: `argocd/${owner}`, limit: 1 })).items;
      return rollout && fleet.client.rollouts.get(rollout.id);
    };
    await eventually(
      async () => {
        const lines = (await newest('site'))?.lines ?? [];
        return lines.some((line) =>
          /waits for stage canary of ApplicationSet argocd\/platform: at its end/.test(line),
        );
      },
      { what: 'the site to wait for the stage of the platform' },
    );
    expect(await valueIn('canary', 'site')).toBeUndefined();
    const { id } = (await newest('platform'))!;
    await fleet.client.rollouts.ask(id, { verb: 'approve', reason: 'looks good' });
    await fleet.synced([...apps('platform'), ...apps('site')]);
  });
});
