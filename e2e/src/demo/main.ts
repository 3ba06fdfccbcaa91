import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { ApplicationView } from '@muster/api';
import { hubClient, type HubClient } from '@muster/api/client';
import { eventually, type Hub, type Running, kubectlPath, startHub, stopControlPlane } from '../index.ts';
import { type DemoCluster, LOCAL, ofContexts, restartAgent, startAgents, startPlanes } from './clusters.ts';
import type { DemoOptions } from './options.ts';
import { Progress } from './progress.ts';
import { type ShopRepository, ensureRepository, fleetDocuments } from './repository.ts';

interface Stage {
  options: DemoOptions;
  dir: string;
  clusters: DemoCluster[];
  progress: Progress;
  stop: AbortController;
  hub?: Hub;
}

/** Runs the demo until Ctrl-C. Answers the exit code. Everything that runs has been built before. */
export async function demo(options: DemoOptions): Promise<number> {
  const dir = resolve(options.dir);
  const own = options.contexts.length > 0;
  const clusters = own ? ofContexts(options.contexts) : LOCAL.map((c) => ({ ...c }));
  const stage: Stage = { options, dir, clusters, progress: new Progress(), stop: new AbortController() };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stage.stop.abort());
  try {
    if (options.reset && !own) await throwAway(dir, stage.progress);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (options.reset && own) await letGo(stage);
    else await play(stage);
    return 0;
  } catch (e) {
    if (stage.stop.signal.aborted) return 130;
    throw e;
  } finally {
    await stopAll(stage);
  }
}

async function play(stage: Stage): Promise<void> {
  const { dir, clusters, progress, stop } = stage;
  const resumed = existsSync(join(dir, 'hub', 'ports.json'));
  progress.step(resumed ? `Resuming the demo of ${dir}` : `Starting the demo in ${dir}`);
  const repository = await ensureRepository(join(dir, 'shop'));
  const [client] = await Promise.all([openHub(stage), startPlanes(clusters, dir, stop.signal, progress)]);
  await startAgents(clusters, stage.hub!, client, dir, progress);
  await client.apply({ documents: await fleetDocuments(repository) });
  progress.step('the ApplicationSets are applied; the clusters pull, apply and report');
  await allGreen(stage, client);
  await tell(stage, client, repository);
  await untilStopped(stage);
}

async function openHub(stage: Stage): Promise<HubClient> {
  const hub = await startHub({
    dir: join(stage.dir, 'hub'),
    // Short waits, so that there is something to see.
    env: {
      MUSTER_POLL_SECONDS: '2',
      MUSTER_LEASE_SECONDS: '15',
      MUSTER_DELETION_GRACE_SECONDS: '30',
      MUSTER_ALLOW_FILE_REPOSITORIES: 'true',
    },
    signal: stage.stop.signal,
  });
  stage.hub = hub;
  stage.progress.step(`the hub is ready after ${(hub.startedIn / 1000).toFixed(1)} s: ${hub.url}`);
  return await logIn(hub, join(stage.dir, 'env.sh'));
}

/** Logs in as admin and keeps an API token for the CLI in a file to be sourced. */
async function logIn(hub: Hub, envFile: string): Promise<HubClient> {
  const anonymous = hubClient({ hub: hub.url });
  const { cookie } = await anonymous.session.login({ name: 'admin', password: hub.adminPassword });
  const client = hubClient({ hub: hub.url, cookie });
  if (!existsSync(envFile)) {
    const { secret: token } = await client.tokens.create({ name: `demo-${Date.now()}` });
    await writeFile(envFile, `export MUSTER_HUB=${hub.url}\nexport MUSTER_TOKEN=${token}\n`, { mode: 0o600 });
  }
  return client;
}

async function allGreen(stage: Stage, client: HubClient): Promise<void> {
  await eventually(
    async (see) => {
      const { items } = await client.applications.list();
      const green = items.filter(isGreen);
      // Somebody may have applied more since.
      const wanted = Math.max(stage.clusters.length * 2, items.length);
      see(
        items.map(
          (a) => `${a.name}: ${a.sync}, ${a.health} ${a.conditions.map((c) => c.message).join('; ')}`,
        ),
      );
      stage.progress.waiting(`${green.length} of ${wanted} Applications are Synced and Healthy`);
      return green.length === wanted;
    },
    {
      what: 'all Applications to be Synced and Healthy',
      timeout: 180_000,
      interval: 200,
      signal: stage.stop.signal,
    },
  );
}

/** As it should be; what was taken back and is held since, as the tour does it, differs from Git for good. */
function isGreen({ sync, health, rollout }: ApplicationView): boolean {
  return health === 'Healthy' && (sync === 'Synced' || rollout?.state === 'held');
}

async function tell({ dir, clusters, hub, progress }: Stage, client: HubClient, repository: ShopRepository) {
  const kubectl = await kubectlPath().catch(() => 'kubectl');
  const last = clusters.at(-1)!;
  const kubeconfig = last.plane ? `--kubeconfig ${last.plane.kubeconfig}` : `--context ${last.context}`;
  const { applications } = await client.summary();
  console.log(`
All ${applications.total} Applications are Synced and Healthy after ${progress.seconds} s.

  Page         ${hub!.url}
  Login        admin / ${hub!.adminPassword}
  Repository   ${repository.path}
${clusters.map((c) => `  ${c.name.padEnd(12)} ${c.plane ? `KUBECONFIG=${c.plane.kubeconfig}` : `context ${c.context}`}`).join('\n')}
  CLI          . ${join(dir, 'env.sh')}; bin/muster app list

Five things to try, with the page open:

  1. Commit a change, and watch the clusters follow:
       cd ${repository.path}
       sed -i.bak 's/Welcome to the shop/Autumn sale/' apps/web/base/kustomization.yaml && git commit -qam 'Autumn sale'

  2. Change something by hand, and watch it go back:
       ${kubectl} ${kubeconfig} -n shop scale deployment web --replicas 7

  3. Release a version from dev to staging to prod, then one that never starts, and watch it being taken back:
       cd ${repository.path}
       sed -i.bak 's/tag: .*/tag: 2.2.0/' charts/api/values.yaml && git commit -qam 'API 2.2.0'
       sed -i.bak 's/tag: .*/tag: broken/' charts/api/values.yaml && git commit -qam 'API, broken'
     In between, with the CLI: bin/muster rollout watch api

  4. Kill the hub; the clusters go on healing what they hold, and follow again when it is back:
       kill -9 ${hub!.process.pid}     # Enter in this window starts it again

  5. Stop an agent, and see its cluster become Unknown since then (after 15 s):
       kill ${last.agent!.pid}        # Enter in this window starts it again

Ctrl-C stops everything; npm run demo resumes; npm run demo -- --reset starts over.
`);
}

/** Waits for Ctrl-C; says when the hub or an agent has ended, and starts it again on Enter. */
async function untilStopped(stage: Stage): Promise<void> {
  const { clusters, stop } = stage;
  const told = new Set<number>();
  const tell = (what: string, process: Running | undefined) => {
    if (!process?.exit() || told.has(process.pid) || stop.signal.aborted) return;
    told.add(process.pid);
    console.log(`${what} has ended. Press Enter to start it again.`);
  };
  const watch = setInterval(() => {
    tell('The hub', stage.hub?.process);
    for (const { name, agent } of clusters) tell(`The agent of ${name}`, agent);
  }, 300);
  const lines = createInterface({ input: process.stdin });
  let mending = Promise.resolve();
  lines.on('line', () => {
    mending = mending
      .then(() => mend(stage))
      .catch((e: unknown) => console.error(`It did not start: ${(e as Error).message}`));
  });
  await new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(watch);
  lines.close();
  await mending;
}

/** Starts again what has ended. */
async function mend(stage: Stage): Promise<void> {
  if (stage.hub?.process.exit()) await openHub(stage);
  for (const cluster of stage.clusters.filter((c) => c.agent?.exit())) {
    await restartAgent(cluster, stage.dir);
    console.log(`The agent of ${cluster.name} runs again (pid ${cluster.agent!.pid}).`);
  }
}

async function stopAll(stage: Stage): Promise<void> {
  const { clusters, hub, progress } = stage;
  if (!hub && !clusters.some((c) => c.agent || c.plane)) return;
  progress.step('Stopping agents, hub and control planes …');
  await Promise.all(clusters.map((c) => c.agent?.stop()));
  await hub?.stop();
  await Promise.all(clusters.map((c) => c.plane?.stop()));
  stage.clusters = [];
  stage.hub = undefined;
  progress.step('All is stopped.');
}

/** Local control planes are the demo's own: stopped if a crash left them, and deleted. */
async function throwAway(dir: string, progress: Progress): Promise<void> {
  if (!existsSync(dir)) return;
  progress.step(`Throwing away ${dir}`);
  const planes = join(dir, 'clusters');
  for (const name of existsSync(planes) ? await readdir(planes) : [])
    await stopControlPlane(join(planes, name));
  await rm(dir, { recursive: true, force: true });
}

/** The user's clusters are not ours to empty: their Applications are orphaned, then the demo forgets them. */
async function letGo(stage: Stage): Promise<void> {
  const { dir, clusters, progress } = stage;
  if (!existsSync(join(dir, 'hub', 'ports.json'))) {
    progress.step('There is nothing to let go of.');
    return;
  }
  const client = await openHub(stage);
  const known = (await client.clusters.list()).items.map((c) => c.name);
  const ours = clusters.filter((c) => known.includes(c.name));
  await startAgents(ours, stage.hub!, client, dir, progress);
  for (const { name } of ours) await client.clusters.remove(name, { mode: 'keep' });
  progress.step('What runs in your clusters keeps running; waiting until the agents have let go …');
  await eventually(async (see) => see((await client.clusters.list()).items.map((c) => c.name)).length === 0, {
    what: 'the clusters to be gone from the hub',
    timeout: 120_000,
  });
  await stopAll(stage);
  await rm(dir, { recursive: true, force: true });
}
