import { MusterError } from '@muster/base';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { eventually, startAgent, writeKubeconfig } from '../src/index.ts';
import { type Fleet, LEASE_SECONDS, startFleet } from './fleet.ts';
import { application, applicationSet, configMap } from './testing/documents.ts';

let fleet: Fleet;
const CLUSTERS = ['dev', 'staging', 'prod'];
const SHOPS = CLUSTERS.map((name) => `shop-${name}`);
const isRedis = process.env.MUSTER_TEST_QUEUE === 'redis';

beforeAll(async () => {
  fleet = await startFleet();
  await commit('first');
  await fleet.apply(shop());
  await fleet.synced(SHOPS);
});
afterAll(() => fleet?.stop());

const shop = () =>
  applicationSet(fleet.repository.url, 'shop', {
    generators: [{ clusters: {} }],
    applicationName: 'shop-{{name}}',
    source: { path: 'shop' },
    destination: { name: '{{name}}', namespace: 'shop' },
    finalizer: true,
  });
const commit = (value: string) =>
  fleet.repository.commit({ 'shop/settings.yaml': configMap('settings', { value }) }, value);
const valueIn = async (name: string) =>
  (await fleet.kube(name).find('v1/ConfigMap', 'shop/settings'))?.data.value as string | undefined;
const everywhere = (value: string) =>
  fleet.everywhere(
    value,
    async (kube) => (await kube.get('v1/ConfigMap', 'shop/settings')).data.value === value,
  );

describe('a hub that is killed', () => {
  // Where the work of a commit is when the hub dies.
  const moments: [string, string][] = [
    ['fetched a commit', 'select 1 from tracked_revisions where commit = $1'],
    ['rendered it', 'select 1 from releases where commit = $1'],
    [
      'signed it',
      "select 1 from assignments a join applications p on p.id = a.application_id where p.commit = $1 and p.name like 'shop-%'",
    ],
  ];
  it.each(moments)('when it has just %s, goes on when it is back, and loses nothing', async (what, query) => {
    const sha = await commit(what);
    await eventually(async () => (await fleet.sql(query, [sha])).length > 0, {
      what: `the hub to have ${what}`,
      interval: 1,
    });
    await fleet.hub.kill();
    await fleet.startHub();
    await everywhere(what);
    await fleet.synced(SHOPS, sha);
  });

  it('with a command on its way, has it run once', async () => {
    const { agent, log } = fleet.member('dev');
    // The agent holds its breath, so that the hub dies between sending the command and hearing of its result.
    process.kill(agent.pid, 'SIGSTOP');
    const { command } = await fleet.client.applications.sync('argocd', 'shop-dev');
    await eventually(async () => (await fleet.client.command(command)).sentAt, {
      what: 'the command to be sent',
    });
    await fleet.hub.kill();
    process.kill(agent.pid, 'SIGCONT');
    await fleet.startHub();
    expect(await fleet.client.command(command, 60)).toMatchObject({ outcome: 'succeeded' });
    expect(agent.exit()).toBeUndefined();
    // It is offered again at each session, until its result is stored.
    await fleet.connected(...CLUSTERS);
    const runs = (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes(command));
    expect(runs.filter((line) => line.includes('"msg":"command"'))).toHaveLength(1);
  });

  it('starts again with nothing to do when nothing changed: no new assignment, no object touched', async () => {
    const state = () =>
      fleet.sql(
        'select application_name, epoch, generation from assignments order by application_name, generation',
      );
    const versions = () =>
      Promise.all(
        CLUSTERS.map(
          async (name) =>
            (await fleet.kube(name).get('v1/ConfigMap', 'shop/settings')).metadata.resourceVersion,
        ),
      );
    const before = [await state(), await versions()];
    await fleet.hub.kill();
    await fleet.startHub();
    await fleet.connected(...CLUSTERS);
    const sha = await fleet.repository.commit({ 'unrelated.txt': 'x' }, 'nothing that is rendered');
    await eventually(
      async () => (await fleet.sql('select 1 from tracked_revisions where commit = $1', [sha])).length > 0,
      {
        what: 'the hub to see the commit',
      },
    );
    await eventually(
      async (see) =>
        see(await fleet.sql("select queue, key from outbox where queue <> 'maintenance'")).length === 0,
      { what: 'the hub to have no work left' },
    );
    expect([await state(), await versions()]).toEqual(before);
  });
});

// Nothing to skip where PostgreSQL carries the work.
if (isRedis) {
  describe('Redis that is emptied', () => {
    let redis: Redis;
    beforeAll(() => {
      redis = new Redis(fleet.redis!.url);
    });
    afterAll(() => redis?.disconnect());

    it('takes no work with it', async () => {
      for (const round of [1, 2, 3]) {
        const value = `flushed ${round}`;
        const sha = await commit(value);
        await fleet.announce();
        for (let i = 0; i < 20; i++) await redis.flushall();
        await everywhere(value);
        await fleet.synced(SHOPS, sha);
      }
    });

    it('has its schedules again within a minute, so that repositories are polled on', async () => {
      const sha = await commit('polled after the flush');
      await fleet.until('shop-dev', 'to be polled', ({ revision }) => revision?.commit === sha, 90_000);
      await fleet.synced(SHOPS, sha);
    });
  });
}

describe('an agent', () => {
  it('that is stopped makes its cluster Unknown since then, until it is back', async () => {
    await fleet.member('staging').agent.stop();
    const silent = await eventually(
      async () => {
        const cluster = await fleet.cluster('staging');
        return cluster.connection === 'silent' && cluster;
      },
      { what: 'staging to be silent' },
    );
    const since = Date.parse(silent.silentSince!);
    expect(since - Date.parse(silent.lastSeenAt!)).toBe(LEASE_SECONDS * 1_000);
    expect(await fleet.app('shop-staging')).toMatchObject({
      health: 'Unknown',
      clusterState: { connected: false, silentSince: silent.silentSince },
    });
    expect(await fleet.app('shop-prod')).toMatchObject({ sync: 'Synced', health: 'Healthy' });
    const sha = await commit('while staging is away');
    await fleet.synced(['shop-dev', 'shop-prod'], sha);
    await fleet.startAgent('staging');
    await fleet.synced('shop-staging', sha);
    expect(await valueIn('staging')).toBe('while staging is away');
  });

  it('killed, with its folder deleted and the hub away, heals from its store in the cluster', async () => {
    const prod = fleet.member('prod');
    const value = await valueIn('prod');
    await fleet.hub.kill();
    await prod.agent.kill();
    await rm(join(fleet.dir, 'agents', 'prod'), { recursive: true });
    await prod.kube.patch('v1/ConfigMap', 'shop/settings', { data: { value: 'by hand' } });
    // What a new pod on another node has: the chart's environment and the ServiceAccount, nothing else.
    const folder = await mkdtemp(join(fleet.dir, 'another-node-'));
    const kubeconfig = join(folder, 'kubeconfig');
    await writeKubeconfig(kubeconfig, 'muster-agent', prod.installed.access);
    const env = { ...prod.installed.env, KUBECONFIG: kubeconfig };
    prod.agent = await startAgent(env, join(folder, 'agent.log'));
    await eventually(async () => (await valueIn('prod')) === value, { what: 'the new agent to heal' });
    await fleet.startHub();
    await fleet.connected(...CLUSTERS);
    await fleet.synced('shop-prod');
  });
});

describe('a hub whose database is lost, with the same keys', () => {
  beforeAll(async () => {
    await fleet.apply(
      application(fleet.repository.url, 'extra', { on: 'dev', path: 'shop', finalizer: true }),
    );
    await fleet.synced('extra');
    await fleet.hub.stop();
    await rm(join(fleet.hub.dir, 'postgres'), { recursive: true });
    await rm(join(fleet.hub.dir, 'admin-password'), { force: true });
    await fleet.startHub();
    await fleet.logIn();
  });
  const objects = async () => [
    await valueIn('dev'),
    await valueIn('staging'),
    await valueIn('prod'),
    (await fleet.kube('dev').find('v1/ConfigMap', 'extra/settings'))?.data.value as string | undefined,
  ];
  const unclaimed = async () =>
    (await fleet.client.unclaimed.list()).items.map(({ cluster, name }) => `${cluster}/${name}`).sort();

  it('sees its clusters come back as recovered, and says that it is in recovery', async () => {
    await eventually(
      async (see) => {
        const { items } = await fleet.client.clusters.list();
        return see(items.map(({ name, state }) => `${name}: ${state}`)).length === 3;
      },
      { what: 'three clusters', timeout: 60_000 },
    );
    const { items } = await fleet.client.clusters.list();
    expect(items.map(({ name, state, labels }) => [name, state, labels.env])).toEqual([
      ['dev', 'recovered', 'dev'],
      ['prod', 'recovered', 'prod'],
      ['staging', 'recovered', 'staging'],
    ]);
    expect(await fleet.client.recovery.get()).toMatchObject({ recovering: true, recoveredClusters: 3 });
  });

  it('has nothing uninstalled, and lists what is unclaimed', async () => {
    const wanted = ['dev/extra', 'dev/shop-dev', 'prod/shop-prod', 'staging/shop-staging'];
    await eventually(async (see) => see(await unclaimed()).join() === wanted.join(), {
      what: 'all that is unclaimed',
    });
    expect(await objects()).not.toContain(undefined);
  });

  it('signs nothing before it is confirmed, also not for approved clusters', async () => {
    const value = await valueIn('dev');
    for (const name of CLUSTERS) await fleet.client.clusters.approve(name);
    await commit('after the loss');
    await fleet.apply(shop());
    await eventually(async () => (await fleet.sql('select 1 from releases')).length > 0, {
      what: 'the set to be rendered',
    });
    expect(await fleet.sql('select 1 from assignments')).toEqual([]);
    expect(await objects()).toEqual([value, value, value, value]);
  });

  it('adopts what it knows again once it is confirmed', async () => {
    await fleet.client.recovery.confirm({ reason: 'the disk was lost' });
    await eventually(
      async (see) => {
        const { items } = await fleet.client.unclaimed.list();
        // A new assignment may settle some of them by itself, and not the others.
        return see(items).every(({ name, known }) => known || name === 'extra');
      },
      { what: 'the Applications of the set to be known' },
    );
    for (const { cluster, namespace, name, known } of (await fleet.client.unclaimed.list()).items) {
      if (!known) continue;
      await fleet.client.unclaimed.act(cluster, namespace, name, 'adopt').catch((e: unknown) => {
        // Its new assignment may arrive first, and settle it.
        if (MusterError.from(e).code !== 'not-found') throw e;
      });
    }
    await everywhere('after the loss');
    await fleet.synced(SHOPS);
  });

  it('leaves alone what nobody claims until somebody says what to do with it', async () => {
    expect(await unclaimed()).toEqual(['dev/extra']);
    expect((await objects())[3]).toBeDefined();
    await fleet.client.unclaimed.act('dev', 'argocd', 'extra', 'uninstall');
    await eventually(async () => !(await fleet.kube('dev').find('v1/ConfigMap', 'extra/settings')), {
      what: 'the unclaimed Application to be uninstalled',
    });
    expect(await unclaimed()).toEqual([]);
  });
});
