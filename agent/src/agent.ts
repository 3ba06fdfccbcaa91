import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import { AgentLink } from '@muster/link';
import { type Command, CommandOutcome } from '@muster/proto/records';
import { Claims } from './apply/claims.ts';
import type { Cluster } from './apply/cluster.ts';
import { Engine } from './apply/engine.ts';
import type { Config } from './config.ts';
import { kubeSystemUid, readFacts } from './facts.ts';
import { kubeAccess } from './kube/kubeconfig.ts';
import { KubeClient } from './kube/client.ts';
import { Discovery } from './kube/discovery.ts';
import { KubeError } from './kube/errors.ts';
import { holdLease } from './kube/lease.ts';
import { BundleDownloads } from './link/bundles.ts';
import { agentClient } from './link/channel.ts';
import { runCommand } from './link/commands.ts';
import { enrol } from './link/enrolment.ts';
import { keepRenewed } from './link/renewal.ts';
import { Session } from './link/session.ts';
import type { Log } from './log.ts';
import { LiveIndex } from './observe/live-index.ts';
import { FolderStore } from './state/folder-store.ts';
import { type IdentityRecord, Records } from './state/records.ts';
import { SecretStore } from './state/secret-store.ts';
import { AGENT_VERSION } from './version.ts';

const FIRST_LOOK_WITHIN_MS = 10_000;
const SWEEP_EVERY_MS = 10 * 60_000;

/** What probes ask. */
export interface Health {
  /** The agent knows its cluster and its store. */
  ready: boolean;
  acting: boolean;
  connected: boolean;
}

/** Runs the agent until the signal ends it. Throws MusterError for what only a person can put right. */
export async function runAgent(config: Config, log: Log, health: Health, signal: AbortSignal): Promise<void> {
  const client = new KubeClient(
    kubeAccess({ kubeconfig: config.kubeconfig, context: config.context }, config.inCluster),
  );
  const discovery = new Discovery(client);
  try {
    const uid = await kubeSystemUid(client);
    await ensureOwnNamespace(client, config, log);
    const records = new Records(await openStore(config, client));
    const facts = () => readFacts(client, discovery, config.namespaces);
    const stored = await records.identity();
    checkCluster(stored, uid);
    const identity = stored?.accepted
      ? stored
      : await enrol({ config, records, kubeSystemUid: uid, facts, log, signal });
    await serve({ config, log, health, signal, client, discovery, records, facts, uid, identity });
  } finally {
    await client.close();
  }
}

interface Parts {
  config: Config;
  log: Log;
  health: Health;
  signal: AbortSignal;
  client: KubeClient;
  discovery: Discovery;
  records: Records;
  facts(): ReturnType<typeof readFacts>;
  uid: string;
  identity: IdentityRecord;
}

async function serve(parts: Parts): Promise<void> {
  const { config, log, health, signal, client, discovery, records, facts, uid } = parts;
  let identity = parts.identity;
  const instanceId = randomUUID();
  let hub = agentClient(config.hub, identity);
  const retired: (typeof hub)[] = [];
  const index = new LiveIndex(client, config.namespaces, log, (key, before, after) =>
    engine.observed(key, before, after),
  );
  const cluster: Cluster = {
    client,
    discovery,
    index,
    claims: new Claims(),
    namespaces: config.namespaces,
    holds: (application) => link.held.has(application),
    log,
    now: Date.now,
  };
  const downloads = new BundleDownloads();
  const engine: Engine = new Engine({
    cluster,
    records,
    fetchBundle: async (digest, size, until) => {
      if (!session.connected)
        throw new MusterError('unavailable', 'the bundle is not here and the hub is away');
      await records.saveBundle(digest, await downloads.fetch(hub, digest, size, until));
    },
    report: (statuses) => session.dispatch({ kind: 'status', statuses }),
    finished: (app) =>
      session.dispatch({
        kind: 'finished',
        key: app.key,
        version: app.assignment.version!,
        nowMs: Date.now(),
      }),
    signal,
  });
  const accepted = identity.accepted!;
  const link = new AgentLink(
    {
      hubId: accepted.hubId,
      clusterId: accepted.clusterId,
      rootPublicKey: Buffer.from(accepted.rootPublicKey, 'base64'),
    },
    await records.memory(),
    instanceId,
    Date.now(),
    () => engine.everything(),
  );
  const session: Session = new Session({
    link,
    client: () => {
      for (const old of retired.splice(0)) old.close();
      return hub;
    },
    persist: (change) => records.persist(change),
    agentVersion: AGENT_VERSION,
    kubeSystemUid: uid,
    facts,
    reconcile: (key, held) => engine.assign(key, held),
    run: (command) => void execute(command),
    connection: (open) => {
      health.connected = open;
      if (open) engine.hubIsBack();
    },
    log,
    signal,
  });
  const execute = async (command: Command) => {
    const acting = engine.actingSignal ?? AbortSignal.abort(new MusterError('precondition', 'not acting'));
    log.info({ command: command.id, verb: command.verb?.$case, actor: command.actor }, 'command');
    try {
      const answer = await runCommand(engine, command, acting);
      session.dispatch({ kind: 'command-finished', id: command.id, ...answer, nowMs: Date.now() });
    } catch (thrown) {
      if (signal.aborted) return;
      log.error({ command: command.id, error: MusterError.from(thrown).message }, 'a command was cut off');
      const message = 'this agent had to stop acting while the command ran';
      session.dispatch({
        kind: 'command-finished',
        id: command.id,
        outcome: CommandOutcome.UNKNOWN,
        message,
        nowMs: Date.now(),
      });
    }
  };
  for (const [key, held] of link.held) engine.assign(key, held);
  health.ready = true;
  const lease = holdLease({
    client,
    namespace: config.namespace,
    name: 'muster-agent',
    identity: instanceId,
    signal,
    changed: (held, holder) => {
      log.info({ held, holder }, held ? 'this agent acts in the cluster' : 'another agent holds the Lease');
      health.acting = held;
      engine.setActing(held);
      if (held) session.hurry();
      else if (holder) session.disconnect();
    },
    failed: (error) => log.warn({ error: error.message }, 'the Lease cannot be renewed'),
  });
  const renewal = keepRenewed({
    config,
    records,
    identity: () => identity,
    renewed: (next) => {
      identity = next;
      // The open stream stays on the old one until it ends by itself.
      retired.push(hub);
      hub = agentClient(config.hub, next);
    },
    log,
    signal,
  });
  const sweeps = setInterval(() => void sweep(records, link, engine, log), SWEEP_EVERY_MS);
  try {
    // A snapshot taken before the first look would tell the hub that nothing is known any more.
    await engine.settled(FIRST_LOOK_WITHIN_MS);
    await session.run(() => health.acting);
  } finally {
    clearInterval(sweeps);
    index.close();
    hub.close();
    await Promise.all([lease, renewal]);
  }
}

/** Removes the bundles that nothing held or applied names any more. */
async function sweep(records: Records, link: AgentLink, engine: Engine, log: Log): Promise<void> {
  const needed = (digest: string) =>
    engine.appliedDigests().has(digest) ||
    [...link.held.values()].some(({ assignment }) => assignment.bundleDigest === digest);
  try {
    await records.sweepBundles(needed);
  } catch (thrown) {
    log.warn({ error: MusterError.from(thrown).message }, 'bundles that are not needed could not be removed');
  }
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
  await sleep(0);
}
