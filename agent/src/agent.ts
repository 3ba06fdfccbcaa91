import { randomUUID } from 'node:crypto';
import { MusterError } from '@muster/base';
import { requestRefusal } from './apply/power.ts';
import type { Config } from './config.ts';
import { kubeSystemUid, readFacts } from './facts.ts';
import { KubeClient } from './kube/client.ts';
import { Discovery } from './kube/discovery.ts';
import { KubeError } from './kube/errors.ts';
import { kubeAccess } from './kube/kubeconfig.ts';
import { Leadership } from './leadership.ts';
import { type EnrolmentOptions, enrol } from './link/enrolment.ts';
import type { Log } from './log.ts';
import { type Health, serve } from './serve.ts';
import { FolderStore } from './state/folder-store.ts';
import { type IdentityRecord, Records } from './state/records.ts';
import { SecretStore } from './state/secret-store.ts';

/** Runs the agent until the signal ends it. Throws MusterError for what only a person, or a new start, can put right. */
export async function runAgent(config: Config, log: Log, health: Health, signal: AbortSignal): Promise<void> {
  const { kubeconfig, context, namespace, power } = config;
  const client = new KubeClient(kubeAccess({ kubeconfig, context }, config.inCluster));
  const discovery = new Discovery(client);
  const instanceId = randomUUID();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let leadership: Leadership | undefined;
  try {
    const uid = await kubeSystemUid(client);
    await ensureOwnNamespace(client, config, log);
    client.restrict((request) =>
      isOwn(request.path, namespace) ? undefined : requestRefusal(power, request),
    );
    leadership = new Leadership({ client, namespace, identity: instanceId, log, signal: either });
    // Before anything is read: another process may still be writing it.
    await leadership.acquire(signal);
    const until = AbortSignal.any([signal, leadership.replaced]);
    const records = new Records(await openStore(config, client));
    const facts = () => readFacts(client, discovery, power);
    const identity = await ownIdentity({ config, records, kubeSystemUid: uid, facts, log, signal: until });
    const cluster = { client, discovery, uid, facts };
    await serve({ config, log, health, signal: until, cluster, leadership, instanceId, records, identity });
    leadership.replaced.throwIfAborted();
  } finally {
    stop.abort();
    await leadership?.ended;
    await client.close();
  }
}

/** Who this agent is for the hub; joins the hub when it is nobody yet. */
async function ownIdentity(options: EnrolmentOptions): Promise<IdentityRecord> {
  const stored = await options.records.identity();
  checkCluster(stored, options.kubeSystemUid);
  return stored?.accepted ? stored : enrol(options);
}

async function openStore(config: Config, client: KubeClient) {
  return config.store === 'folder'
    ? FolderStore.open(config.stateDir)
    : new SecretStore(client, config.namespace);
}

/** A copied store would let a second cluster pose as the first. */
function checkCluster(identity: IdentityRecord | undefined, uid: string): void {
  const known = identity?.accepted?.kubeSystemUid;
  if (!known || known === uid) return;
  throw new MusterError(
    'forbidden',
    'the stored identity belongs to another cluster (kube-system has another UID)',
    {
      hint: 'join this cluster with a token of its own and an empty store',
    },
  );
}

/** Whether a path is of the agent's own records and Lease, which it always writes as itself. */
function isOwn(path: string, namespace: string): boolean {
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  return [secrets, leases].some((own) => path === own || path.startsWith(`${own}/`));
}

/** In a cluster the chart made it; outside, the agent does where it may. */
async function ensureOwnNamespace(client: KubeClient, config: Config, log: Log): Promise<void> {
  const path = `/api/v1/namespaces/${config.namespace}`;
  try {
    if (await client.find(path)) return;
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: config.namespace } };
    await client.call('/api/v1/namespaces', { method: 'POST', body });
  } catch (thrown) {
    if (!(thrown instanceof KubeError) || (thrown.status !== 403 && thrown.status !== 409)) throw thrown;
    if (thrown.status === 403)
      log.debug({ namespace: config.namespace }, 'this agent may not look at its namespace');
  }
}
