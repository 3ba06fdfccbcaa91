import { MusterError } from '@muster/base';
import { Jq } from '@muster/kube/jq';
import { AgentLink } from '@muster/link';
import { type Command, CommandOutcome, type Facts } from '@muster/proto/records';
import { Asks } from './access/asks.ts';
import { Claims } from './apply/claims.ts';
import type { Cluster } from './apply/cluster.ts';
import { Engine } from './apply/engine.ts';
import { type Power, isObserver, watchedNamespaces } from './apply/power.ts';
import type { Config } from './config.ts';
import type { KubeClient } from './kube/client.ts';
import type { Discovery } from './kube/discovery.ts';
import type { Leadership } from './leadership.ts';
import { openAnswer } from './link/answers.ts';
import { BundleDownloads } from './link/bundles.ts';
import { HubConnection } from './link/hub-connection.ts';
import { runCommand } from './link/commands.ts';
import { keepRenewed } from './link/renewal.ts';
import { Session } from './link/session.ts';
import type { Log } from './log.ts';
import { LiveIndex, type Observer } from './observe/live-index.ts';
import { WantedKeys } from './observe/wanted-keys.ts';
import type { AcceptedIdentity, IdentityRecord, Records } from './state/records.ts';
import { AGENT_VERSION } from './version.ts';

/** More than the reference's second: an agent has a tenth of a core. */
const JQ_TIMEOUT_MS = 5000;
const FIRST_LOOK_WITHIN_MS = 10_000;
const SWEEP_EVERY_MS = 10 * 60_000;

/** What probes ask. */
export interface Health {
  /** The agent knows its cluster and its identity. */
  ready: boolean;
  acting: boolean;
  connected: boolean;
  /** What is added to this machine's clock to get the hub's; undefined: no hub was ever heard. */
  clockOffsetMs?(): number | undefined;
}

export interface ServeOptions {
  config: Config;
  log: Log;
  health: Health;
  signal: AbortSignal;
  cluster: {
    client: KubeClient;
    discovery: Discovery;
    uid: string;
    facts(): Promise<Facts>;
  };
  leadership: Leadership;
  instanceId: string;
  records: Records;
  identity: IdentityRecord;
}

/** Does the agent's work, from an identity on, until the signal ends it. */
export async function serve(options: ServeOptions): Promise<void> {
  const { config, log, health, signal, leadership, records } = options;
  const hub = new HubConnection(config.hub, options.identity);
  const { link, engine, session, index } = await assemble(options, hub);
  for (const [key, held] of link.held) engine.assign(key, held);
  health.ready = true;
  health.clockOffsetMs = () => link.clockOffsetMs;
  leadership.follow((held) => {
    health.acting = held;
    engine.setActing(held);
    if (held) session.hurry();
  });
  const identity = () => hub.identity;
  const renewal = keepRenewed({ config, records, identity, renewed: (next) => hub.use(next), log, signal });
  const sweeps = setInterval(() => void sweep(records, link, engine, log), SWEEP_EVERY_MS);
  try {
    // A snapshot taken before the first look would tell the hub that nothing is known any more.
    await engine.settled(FIRST_LOOK_WITHIN_MS);
    await session.run(() => health.acting);
  } finally {
    clearInterval(sweeps);
    index.close();
    hub.close();
    await renewal;
  }
}

interface Assembled {
  link: AgentLink;
  engine: Engine;
  session: Session;
  index: LiveIndex;
}

/** The parts know each other through what is handed to them here. */
async function assemble(options: ServeOptions, hub: HubConnection): Promise<Assembled> {
  const { log, health, signal, instanceId, records, identity } = options;
  const { client, discovery, uid, facts } = options.cluster;
  const { power } = options.config;
  const namespaces = watchedNamespaces(power);
  // What was never applied carries no mark of Muster's, and is what an observer compares.
  const wanted = isObserver(power) ? new WantedKeys() : undefined;
  const observed: Observer = (...change) => engine.observed(...change);
  const index = new LiveIndex(client, namespaces, log, observed, wanted);
  const holds = (application: string) => link.held.has(application);
  const cluster: Cluster = {
    client,
    discovery,
    index,
    claims: new Claims(),
    power,
    namespaces,
    holds,
    deadlineMs: options.config.syncDeadlineMs,
    wavePauseMs: options.config.wavePauseMs,
    jq: new Jq({ timeoutMs: JQ_TIMEOUT_MS }),
    log,
    now: Date.now,
    hubTime: () => link.hubTime(Date.now()),
  };
  const downloads = new BundleDownloads();
  const memory = await records.memory();
  const everything = () => engine.everything();
  const link = new AgentLink(pinned(identity.accepted!), memory, instanceId, Date.now(), everything);
  const engine: Engine = new Engine({
    cluster,
    records,
    fetchBundle: async (digest, size, until) => {
      if (!session.connected)
        throw new MusterError('unavailable', 'the bundle is not here and the hub is away');
      await records.saveBundle(digest, await downloads.fetch(hub.client, digest, size, until));
    },
    report: (statuses) => session.dispatch({ kind: 'status', statuses }),
    finished: ({ key, assignment }) =>
      session.dispatch({ kind: 'finished', key, version: assignment.version!, nowMs: Date.now() }),
    signal,
  });
  const asks = new Asks({
    engine,
    cluster,
    prometheus: options.config.prometheus,
    open: (askId) => openAnswer(hub.client, askId),
    signal,
  });
  const session: Session = new Session({
    link,
    client: () => hub.forNewStream(),
    persist: (change) => records.persist(change),
    agentVersion: AGENT_VERSION,
    kubeSystemUid: uid,
    facts,
    reconcile: (key, held) => engine.assign(key, held),
    run: (command) => void execute({ engine, session, power, log, signal }, command),
    ask: (ask) => asks.begin(ask),
    cancelAsk: (id) => asks.cancel(id),
    connection: (open) => {
      health.connected = open;
      if (open) engine.hubIsBack();
    },
    log,
    signal,
  });
  return { link, engine, session, index };
}

function pinned({ hubId, clusterId, rootPublicKey }: AcceptedIdentity) {
  return { hubId, clusterId, rootPublicKey: Buffer.from(rootPublicKey, 'base64') };
}

interface Executing {
  engine: Engine;
  session: Session;
  power: Power;
  log: Log;
  signal: AbortSignal;
}

/** Carries a command out and tells its outcome. When the process is stopped, its journal says that it was cut off. */
async function execute({ engine, session, power, log, signal }: Executing, command: Command) {
  const { id, actor, verb } = command;
  const action = verb?.$case === 'act' ? verb.value.action : undefined;
  log.info({ command: id, verb: verb?.$case, action, actor }, 'command');
  const acting = engine.actingSignal ?? AbortSignal.abort(new MusterError('precondition', 'not acting'));
  try {
    const answer = await runCommand(engine, power, command, acting);
    session.dispatch({ kind: 'command-finished', id, ...answer, nowMs: Date.now() });
  } catch (thrown) {
    if (signal.aborted) return;
    log.error({ command: id, error: MusterError.from(thrown).message }, 'a command was cut off');
    const message = 'this agent had to stop acting while the command ran';
    const outcome = CommandOutcome.UNKNOWN;
    session.dispatch({ kind: 'command-finished', id, outcome, message, nowMs: Date.now() });
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
