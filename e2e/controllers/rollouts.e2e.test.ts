import type { CommandView } from '@muster/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Fleet, startFleet } from '../spine/fleet.ts';
import { application, configMap } from '../spine/testing/documents.ts';
import { type KubeObject, eventually } from '../src/index.ts';
import { BUILDING, type Controllers, drifted, startArgoRollouts } from './testing/controllers.ts';

const HASH = 'rollouts-pod-template-hash';

let fleet: Fleet;
let controllers: Controllers;
let secret: string;
const muster = (...args: string[]) => fleet.muster(secret, ...args);

beforeAll(async () => {
  fleet = await startFleet({ clusters: ['dev'], env: { MUSTER_POLL_SECONDS: '3600' } });
  controllers = await startArgoRollouts(fleet.member('dev').plane);
  ({ secret } = await fleet.client.tokens.create({ name: 'release-owner' }));
}, BUILDING);

afterAll(async () => {
  await controllers?.stop();
  await fleet?.stop();
});

function rollout(name: string, version: string, replicas: number, strategy: object): string {
  return stringify({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      strategy,
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: `web:${version}` }] },
      },
    },
  });
}

const service = (name: string, app: string) =>
  stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app }, ports: [{ port: 80 }] },
  });

/** Has Muster do something to the Rollout of an Application, which is called as it; answers how that ended. */
async function act(name: string, action: string, reason = ''): Promise<CommandView> {
  const resource = `argoproj.io/Rollout/${name}/${name}`;
  const { command } = await fleet.client.applications.act('argocd', name, { resource, action, reason });
  return fleet.client.command(command, 60);
}

async function done(name: string, action: string, reason?: string): Promise<void> {
  expect(await act(name, action, reason)).toMatchObject({ verb: 'act', outcome: 'succeeded' });
}

/** How many Pods of an app run each version; those that end do not count. */
async function versions(namespace: string): Promise<Record<string, number>> {
  const pods = await fleet.kube('dev').list('v1/Pod', namespace);
  const counts: Record<string, number> = {};
  for (const { metadata, spec } of pods) {
    if (metadata.deletionTimestamp) continue;
    const version = spec.containers[0].image.split(':')[1];
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
}

const runs = (namespace: string, wanted: Record<string, number>) =>
  eventually(
    async (see) => {
      const now = see(await versions(namespace));
      return Object.keys({ ...now, ...wanted }).every((version) => now[version] === wanted[version]);
    },
    { what: `the Pods of ${namespace} to be ${JSON.stringify(wanted)}` },
  );

/** Waits until the Application shows a health for the release of a commit, with no object away from Git. */
const shows = (name: string, commit: string, health: string, message = '') =>
  fleet.until(
    name,
    `to be ${health} at ${commit.slice(0, 7)}`,
    (app) =>
      app.health === health &&
      app.sync === 'Synced' &&
      app.revision?.commit === commit &&
      app.healthMessage.includes(message),
    60_000,
  );

describe('a canary with steps', () => {
  const name = 'canary';
  const release = (version: string) =>
    fleet.push(
      {
        [`${name}/rollout.yaml`]: rollout(name, version, 5, {
          canary: { steps: [{ setWeight: 20 }, { pause: {} }] },
        }),
        [`${name}/after.yaml`]: configMap('after', { version }).replace(
          'name: after',
          'name: after\n  annotations: { argocd.argoproj.io/sync-wave: "1" }',
        ),
      },
      `canary ${version}`,
    );
  const after = async () => (await fleet.kube('dev').get('v1/ConfigMap', `${name}/after`)).data.version;

  /** Pushes a version and waits for its pause: a fifth of the Pods, and the next wave untouched. */
  async function paused(version: string, stable: string): Promise<string> {
    const commit = await release(version);
    const app = await fleet.until(
      name,
      `to be Suspended at ${version}`,
      ({ health, revision, operation }) =>
        health === 'Suspended' &&
        revision?.commit === commit &&
        operation?.message.includes(`argoproj.io/Rollout/${name}`),
      60_000,
    );
    expect(app.healthMessage).toContain('CanaryPauseStep');
    expect(app.operation?.phase).toBe('Running');
    await runs(name, { [stable]: 4, [version]: 1 });
    expect(await after()).toBe(stable);
    return commit;
  }

  it('is Healthy at its first version, without steps', async () => {
    const commit = await release('v1');
    await fleet.apply(application(fleet.repository.url, name, { on: 'dev' }));
    await fleet.synced(name, commit);
    expect(await versions(name)).toEqual({ v1: 5 });
    expect(await after()).toBe('v1');
  });

  it('is Suspended at its pause, and the next wave waits; promoted it is Healthy, and the wave comes', async () => {
    const commit = await paused('v2', 'v1');
    await done(name, 'promote');
    await fleet.synced(name, commit);
    await runs(name, { v2: 5 });
    expect(await after()).toBe('v2');
  });

  it('aborted it is Degraded, and the old version serves; git revert makes it Healthy', async () => {
    await paused('v3', 'v2');
    await done(name, 'abort', 'too many errors');
    const app = await fleet.until(
      name,
      'to have failed',
      ({ health, operation }) => health === 'Degraded' && operation?.phase === 'Failed',
    );
    expect(app.healthMessage).toContain('aborted');
    await runs(name, { v2: 5 });
    expect(await after()).toBe('v2');
    const { items } = await fleet.client.audit({ action: 'application.resource.abort' });
    expect(items).toMatchObject([{ actor: 'admin', reason: 'too many errors' }]);
    expect(await act(name, 'promote')).toMatchObject({ outcome: 'refused' });
    await fleet.synced(name, await fleet.revert());
    expect(await versions(name)).toEqual({ v2: 5 });
    expect(await drifted(fleet, name)).toEqual([]);
  });
});

describe('an aborted update that is tried again', () => {
  const name = 'again';
  const release = (version: string) =>
    fleet.push(
      {
        [`${name}/rollout.yaml`]: rollout(name, version, 2, {
          canary: { steps: [{ setWeight: 50 }, { pause: {} }, { setWeight: 75 }, { pause: {} }] },
        }),
      },
      `again ${version}`,
    );

  it('stands at its pauses anew; resumed it goes to the next, promoted fully it skips them', async () => {
    const first = await release('v1');
    await fleet.apply(application(fleet.repository.url, name, { on: 'dev' }));
    await fleet.synced(name, first);
    const commit = await release('v2');
    await shows(name, commit, 'Suspended');
    await done(name, 'abort');
    await shows(name, commit, 'Degraded', 'aborted');
    await runs(name, { v1: 2 });
    await done(name, 'retry');
    await shows(name, commit, 'Suspended');
    await done(name, 'resume');
    const kube = fleet.kube('dev');
    const at = async () => (await kube.get('argoproj.io/v1alpha1/Rollout', `${name}/${name}`)).status;
    await eventually(
      async (see) => {
        const { currentStepIndex, phase } = see(await at());
        return currentStepIndex === 3 && phase === 'Paused';
      },
      { what: 'the second pause' },
    );
    await done(name, 'promote-full');
    await shows(name, commit, 'Healthy');
    await runs(name, { v2: 2 });
    expect(await drifted(fleet, name)).toEqual([]);
  });
});

describe('a blue-green without automatic promotion', () => {
  const name = 'bluegreen';
  const release = (version: string) =>
    fleet.push(
      {
        [`${name}/rollout.yaml`]: rollout(name, version, 2, {
          blueGreen: {
            activeService: 'active',
            previewService: 'preview',
            autoPromotionEnabled: false,
            scaleDownDelaySeconds: 1,
            abortScaleDownDelaySeconds: 1,
          },
        }),
        [`${name}/services.yaml`]: `${service('active', name)}---\n${service('preview', name)}`,
      },
      `blue-green ${version}`,
    );

  /** The version of the ReplicaSet that a Service selects. */
  async function serves(what: 'active' | 'preview'): Promise<string | undefined> {
    const kube = fleet.kube('dev');
    const { spec } = await kube.get('v1/Service', `${name}/${what}`);
    const sets = await kube.list('apps/v1/ReplicaSet', name, {
      labelSelector: `${HASH}=${spec.selector[HASH]}`,
    });
    return sets.map((set: KubeObject) => set.spec.template.spec.containers[0].image.split(':')[1])[0];
  }

  async function paused(version: string, active: string): Promise<string> {
    const commit = await release(version);
    await shows(name, commit, 'Suspended', 'BlueGreenPause');
    expect([await serves('active'), await serves('preview')]).toEqual([active, version]);
    await runs(name, { [active]: 2, [version]: 2 });
    return commit;
  }

  it('is Healthy at its first version', async () => {
    const commit = await release('v1');
    await fleet.apply(application(fleet.repository.url, name, { on: 'dev' }));
    await fleet.synced(name, commit);
    expect(await serves('active')).toBe('v1');
  });

  it('is Suspended beside its preview; promoted it serves the new version and is Healthy', async () => {
    const commit = await paused('v2', 'v1');
    expect(await muster('app', 'promote', name)).toMatchObject({ code: 0 });
    await shows(name, commit, 'Healthy');
    expect(await serves('active')).toBe('v2');
    await runs(name, { v2: 2 });
  });

  it('aborted it is Degraded and serves the old version; git revert makes it Healthy', async () => {
    const commit = await paused('v3', 'v2');
    expect(await muster('app', 'action', 'run', name, 'abort')).toMatchObject({ code: 0 });
    await shows(name, commit, 'Degraded', 'aborted');
    expect(await serves('active')).toBe('v2');
    await shows(name, await fleet.revert(), 'Healthy');
    expect(await serves('active')).toBe('v2');
    expect(await drifted(fleet, name)).toEqual([]);
    await runs(name, { v2: 2 });
  });
});
