import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Action, Signed } from '@muster/proto/records';
import { eventually } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment } from './testing/objects.ts';

const on = agentFixture('survival');
const { joined, settled, start } = on;

describe('an agent that loses its hub, its process or its records', () => {
  it('heals without a hub, from what it stored, also as a new process', async () => {
    await joined();
    await on.hub.assign({ name: 'offline', objects: [configMap('offline')] });
    await settled('offline');
    on.hub.kill();
    await on.agent.kill();
    await on.cluster.kube.patch('v1/ConfigMap', 'default/offline', { data: { a: 'changed' } });
    on.agent = await start();
    await eventually(
      async () => (await on.cluster.kube.get('v1/ConfigMap', 'default/offline')).data.a === '1',
      {
        what: 'the heal',
      },
    );
    await on.cluster.kube.delete('v1/ConfigMap', 'default/offline');
    await eventually(() => on.cluster.kube.find('v1/ConfigMap', 'default/offline'), {
      what: 'the ConfigMap to be back',
    });
    await on.hub.restart();
    await settled('offline');
    expect(on.hub.joining.enrolments).toBe(1);
  });

  it('keeps healing what it applied while the next bundle cannot be had', async () => {
    await joined();
    await on.hub.assign({ name: 'between', objects: [configMap('between')] });
    await settled('between');
    on.hub.bundles.withheld = true;
    await on.hub.assign({ name: 'between', objects: [configMap('between', { a: 'next' })] });
    await eventually(
      (see) => see(on.hub.status('between'))?.conditions.some(({ type }) => type === 'BundleUnavailable'),
      { what: 'the condition' },
    );
    await on.cluster.kube.patch('v1/ConfigMap', 'default/between', { data: { a: 'drift' } });
    await eventually(
      async () => (await on.cluster.kube.get('v1/ConfigMap', 'default/between')).data.a === '1',
      {
        what: 'the heal',
      },
    );
    expect(on.hub.status('between')?.sync).not.toBe('Synced');
    on.hub.bundles.withheld = false;
    await eventually(
      async () => (await on.cluster.kube.get('v1/ConfigMap', 'default/between')).data.a === 'next',
      { what: 'the next' },
    );
    expect((await settled('between')).conditions).toEqual([]);
  });

  it('keeps all of it in Secrets, and survives the loss of its folder', async () => {
    await joined({ MUSTER_AGENT_STORE: 'secrets' });
    await on.hub.assign({ name: 'secrets', objects: [configMap('in-secrets')] });
    await settled('secrets');
    on.hub.kill();
    await on.agent.kill();
    await on.cluster.kube.delete('v1/ConfigMap', 'default/in-secrets');
    on.agent = await start({ MUSTER_AGENT_STORE: 'secrets', MUSTER_AGENT_TOKEN: undefined });
    await eventually(() => on.cluster.kube.find('v1/ConfigMap', 'default/in-secrets'), {
      what: 'the ConfigMap to be back',
    });
  });

  it('uninstalls all of it also when its record was lost', async () => {
    await joined();
    await on.hub.assign({ name: 'lost', objects: [configMap('lost'), deployment('lost')] });
    await settled('lost');
    await on.agent.stop();
    const state = on.stateDir;
    for (const name of await readdir(state)) if (name.startsWith('applied.')) await rm(join(state, name));
    // Also before the new process has looked at what it held.
    const { signed } = await on.hub.assign({ name: 'lost', action: Action.UNINSTALL });
    const held = (await readdir(state)).find((name) => name.startsWith('assignment.'))!;
    await writeFile(join(state, held), Signed.encode(signed).finish());
    on.agent = await start();
    await eventually(() => on.hub.gone.length > 0, { what: 'the Application to be gone' });
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/lost')).toBeUndefined();
    expect(await on.cluster.kube.find('apps/v1/Deployment', 'default/lost')).toBeUndefined();
  });

  it('lets one agent act in a cluster', async () => {
    await joined();
    await on.hub.assign({ name: 'one', objects: [configMap('one')] });
    await settled('one');
    const hellos = on.hub.hellos.length;
    const second = await start({ MUSTER_AGENT_LOG_LEVEL: 'info' });
    await eventually(async () => (await second.tail(50)).includes('another agent holds the Lease'), {
      what: 'the second to wait',
    });
    expect(on.hub.hellos.length).toBe(hellos);
    // What the second one would have read at its start is old by now.
    const newest = await on.hub.assign({ name: 'one', objects: [configMap('one', { a: 'newest' })] });
    await eventually(
      async () => (await on.cluster.kube.get('v1/ConfigMap', 'default/one')).data.a === 'newest',
      {
        what: 'the newest',
      },
    );
    await on.agent.stop();
    await eventually(() => on.hub.hellos.length > hellos, { what: 'the second to take over' });
    expect(on.hub.hellos.at(-1)?.highest).toEqual(newest.version);
    expect((await on.cluster.kube.get('v1/ConfigMap', 'default/one')).data.a).toBe('newest');
    await second.stop();
  });
});
