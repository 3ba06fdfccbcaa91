import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RendererPool, type RenderedObject, filesOf, loadRenderer } from '@muster/renderer';
import type { KubeAccess, KubeClient, KubeObject } from './kube.ts';
import { type Running, startProcess } from './processes.ts';
import { writeKubeconfig } from './control-plane.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const NAMESPACE = 'muster-agent';

/** The flags of the agent's image: they keep it small. */
export const AGENT_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=256'];

/** Renders a chart of `charts/` with the project's own renderer, as `helm template` would. */
export async function renderChart(
  chart: string,
  values: Record<string, unknown>,
  release: { name: string; namespace: string },
): Promise<KubeObject[]> {
  const files = await readTree(join(root, 'charts', chart));
  return withPool(async (pool) => {
    const { objects } = await pool.render({
      source: {
        kind: 'helm',
        path: '.',
        releaseName: release.name,
        namespace: release.namespace,
        kubeVersion: '1.36.0',
        valuesObject: values as never,
      },
      files: filesOf(files),
      clock: 0,
      seed: new Uint8Array(32),
    });
    return objects.map((rendered: RenderedObject) => rendered.object as unknown as KubeObject);
  });
}

let shared: Promise<RendererPool> | undefined;
let users = 0;

/** One renderer for all that render at the same time: compiling it costs seconds. */
async function withPool<T>(use: (pool: RendererPool) => Promise<T>): Promise<T> {
  users += 1;
  shared ??= loadRenderer().then((renderer) => new RendererPool(renderer, { size: 1 }));
  const pool = shared;
  try {
    return await use(await pool);
  } finally {
    users -= 1;
    if (users === 0) {
      shared = undefined;
      await (await pool).close();
    }
  }
}

/** Where an agent dials, as the hub's join token answers it. */
export interface Invitation {
  token: string;
  gateway: string;
  enrol: string;
  caSha256: string;
}

/** An agent that runs beside its cluster, with the rights that the chart gave it there. */
export interface InstalledAgent {
  /** The environment that the chart gives the agent, and the kubeconfig of its ServiceAccount. */
  readonly env: Record<string, string>;
  readonly access: KubeAccess;
  start(log: string): Promise<Running>;
}

export interface InstallOptions {
  kube: KubeClient;
  /** Folder for its kubeconfig, token file and log. */
  dir: string;
  invitation: Invitation;
  /** The chart's narrower preset. */
  namespaces?: string[];
  /** Further values of the chart. */
  values?: Record<string, unknown>;
}

/**
 * Installs `charts/muster-agent` into a cluster, as `helm install` would, and prepares to run the agent as a process
 * with that chart's ServiceAccount and environment. (kwok's nodes run no containers, so its Pod does nothing.)
 */
export async function installAgent({
  kube,
  dir: given,
  invitation,
  namespaces = [],
  values = {},
}: InstallOptions): Promise<InstalledAgent> {
  const dir = resolve(given);
  const objects = await renderChart(
    'muster-agent',
    {
      hub: { address: invitation.gateway, enrolAddress: invitation.enrol, caSha256: invitation.caSha256 },
      token: invitation.token,
      namespaces,
      ...values,
    },
    { name: 'muster-agent', namespace: NAMESPACE },
  );
  const needed = [NAMESPACE, ...namespaces];
  await kube.apply(needed.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })));
  await kube.apply(objects);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(join(dir, 'token'), invitation.token, { mode: 0o600 });
  const token = await kube.createToken(`${NAMESPACE}/muster-agent`, 30 * 86_400);
  const access: KubeAccess = { server: kube.access.server, ca: kube.access.ca, token };
  const kubeconfig = join(dir, 'kubeconfig');
  await writeKubeconfig(kubeconfig, 'muster-agent', access);
  const env = {
    ...environmentOf(objects),
    MUSTER_AGENT_TOKEN_FILE: join(dir, 'token'),
    MUSTER_AGENT_NAMESPACE: NAMESPACE,
    MUSTER_AGENT_HEALTH_PORT: '0',
    KUBECONFIG: kubeconfig,
  };
  return { env, access, start: (log) => startAgent(env, log) };
}

/** Starts the agent's bundle with an environment. */
export function startAgent(env: Record<string, string | undefined>, log: string): Promise<Running> {
  const args = [...AGENT_FLAGS, join(root, 'agent/dist/agent.mjs')];
  return startProcess({ name: 'agent', command: process.execPath, args, env, log });
}

/** Literal variables of the Deployment's only container; those from the Pod's own fields are left out. */
function environmentOf(objects: readonly KubeObject[]): Record<string, string> {
  const deployment = objects.find((o) => o.kind === 'Deployment') as unknown as {
    spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } };
  };
  const variables = deployment.spec.template.spec.containers[0]!.env;
  return Object.fromEntries(
    variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  );
}

async function readTree(dir: string): Promise<Record<string, Buffer>> {
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const pairs = files.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(dir.length + 1), await readFile(path)] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}
