import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, installAgent, startAgent, startControlPlane } from '../index.ts';
import type { ControlPlane, Hub, Running } from '../index.ts';
import type { HubClient } from '@muster/api/client';
import type { Progress } from './progress.ts';

/** One cluster of the demo, local or the user's own. */
export interface DemoCluster {
  name: string;
  labels: Record<string, string>;
  /** Set for the user's own. */
  context?: string;
  plane?: ControlPlane;
  agent?: Running;
}

export const LOCAL: readonly DemoCluster[] = [
  { name: 'dev', labels: { env: 'dev', region: 'eu-central' } },
  { name: 'staging', labels: { env: 'staging', region: 'eu-central' } },
  { name: 'prod', labels: { env: 'prod', region: 'eu-west' } },
];

/** The user's contexts as clusters: dev, staging and prod in turn. */
export function ofContexts(contexts: readonly string[]): DemoCluster[] {
  return contexts.map((context, i) => ({
    name:
      context
        .toLowerCase()
        .replace(/[^a-z0-9-]+/g, '-')
        .replace(/^-+|-+$/g, '') || `cluster-${i}`,
    labels: { ...LOCAL[i % LOCAL.length]!.labels },
    context,
  }));
}

/** Starts the local control planes side by side. */
export async function startPlanes(
  clusters: readonly DemoCluster[],
  dir: string,
  signal: AbortSignal,
  progress: Progress,
) {
  await Promise.all(
    clusters.map(async (cluster) => {
      if (cluster.context) return;
      const plane = await startControlPlane({
        ...cluster,
        dir: join(dir, 'clusters', cluster.name),
        signal,
        log: (l) => progress.step(l),
      });
      cluster.plane = plane;
      progress.step(`control plane ${cluster.name} is ready (${plane.server})`);
    }),
  );
}

/** Enrols what is not enrolled yet, by a join token as a user would, and starts the agents. */
export async function startAgents(
  clusters: readonly DemoCluster[],
  hub: Hub,
  client: HubClient,
  dir: string,
  progress: Progress,
) {
  await Promise.all(
    clusters.map(async (cluster) => {
      const folder = join(dir, 'agents', cluster.name);
      cluster.agent = await startAgent(
        await environment(cluster, hub, client, folder),
        join(folder, 'agent.log'),
      );
      progress.step(`agent of ${cluster.name} has started (pid ${cluster.agent.pid})`);
    }),
  );
  await eventually(
    async (see) => {
      const { items } = await client.clusters.list();
      const connected = items
        .filter((c) => c.state === 'active' && c.connection === 'connected')
        .map((c) => c.name);
      const missing = see(clusters.filter((c) => !connected.includes(c.name)).map((c) => c.name));
      for (const cluster of clusters) {
        if (cluster.agent?.exit())
          throw new Error(`the agent of ${cluster.name} has ended: ${await cluster.agent.tail()}`);
      }
      if (missing.length > 0) progress.waiting(`waiting for the agents of ${missing.join(', ')}`);
      return missing.length === 0;
    },
    { what: 'all agents to be connected', timeout: 120_000, interval: 250 },
  );
}

/** Starts the agent of one cluster again, as it was. */
export async function restartAgent(cluster: DemoCluster, dir: string): Promise<void> {
  const folder = join(dir, 'agents', cluster.name);
  const env = JSON.parse(await readFile(join(folder, 'env.json'), 'utf8')) as Record<string, string>;
  cluster.agent = await startAgent(env, join(folder, 'agent.log'));
}

async function environment(
  cluster: DemoCluster,
  hub: Hub,
  client: HubClient,
  folder: string,
): Promise<Record<string, string>> {
  const file = join(folder, 'env.json');
  const known = await client.clusters.get(cluster.name).catch(() => undefined);
  const here = {
    MUSTER_AGENT_HUB: hub.listening.session,
    MUSTER_AGENT_ENROL: hub.listening.enrol,
  };
  if (known && existsSync(file))
    return { ...(JSON.parse(await readFile(file, 'utf8')) as Record<string, string>), ...here };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const created = await client.joinTokens.create({
    name: cluster.name,
    labels: cluster.labels,
    autoApprove: true,
  });
  const invitation = { token: created.token, ...created.hub };
  let env: Record<string, string>;
  if (cluster.plane) {
    env = (await installAgent({ kube: cluster.plane.kube, dir: folder, invitation })).env;
  } else {
    env = {
      MUSTER_AGENT_CA_SHA256: invitation.caSha256,
      MUSTER_AGENT_TOKEN: invitation.token,
      MUSTER_AGENT_STORE: 'folder',
      MUSTER_AGENT_STATE_DIR: join(folder, 'state'),
      MUSTER_AGENT_CONTEXT: cluster.context!,
    };
  }
  env = { ...env, ...here };
  await writeFile(file, JSON.stringify(env, null, 2), { mode: 0o600 });
  return env;
}
