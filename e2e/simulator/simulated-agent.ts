import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BundleDownloads, HubConnection, Records, Session } from '@muster/agent/link';
import { AgentLink, type HeldAssignment, applicationKey } from '@muster/link';
import type { AgentServiceClient, SessionResponse } from '@muster/proto';
import {
  Action,
  type ApplicationStatus,
  type Command,
  CommandOutcome,
  Facts,
  type Signed,
} from '@muster/proto/records';
import { type Logger, pino } from 'pino';
import type { Behaviour } from './behaviour.ts';
import type { MemoryStore } from './memory-store.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

const AGENT_VERSION = 'simulated';
export const FACTS = Facts.fromPartial({
  kubernetesVersion: 'v1.34.0',
  apiVersions: ['v1', 'v1/ConfigMap', 'v1/Secret', 'apps/v1', 'apps/v1/Deployment'],
  nodeCount: 3,
  agentVersion: AGENT_VERSION,
  platform: 'linux/amd64',
});

/** What happened at an agent; `at`: `performance.now()` of this process. */
export type Seen =
  | { kind: 'assigned'; agent: string; application: string; held: HeldAssignment; at: number }
  | { kind: 'reported'; agent: string; status: ApplicationStatus; at: number }
  | { kind: 'acknowledged'; agent: string; at: number }
  | { kind: 'refused'; agent: string; what: string; at: number };

export interface AgentOptions {
  name: string;
  /** host:port of sessions. */
  hub: string;
  store: MemoryStore;
  kubeSystemUid: string;
  behaviour: Behaviour;
  /** How far the clock of its cluster is ahead, in milliseconds. */
  skewMs: number;
  /** Downloads each bundle, as a real agent does, and checks it against its digest. */
  downloads: boolean;
  /** How long what the hub says is on its way, once it has left. `Seen` tells when it left, on the wire of this machine. */
  distanceMs: number;
  observe(seen: Seen): void;
}

/** An agent whose link, identity and signatures are real, and whose cluster is not. */
export class SimulatedAgent {
  readonly name: string;
  readonly #options: AgentOptions;
  readonly #records: Records;
  readonly #connection: HubConnection;
  readonly #cluster: SimulatedCluster;
  readonly #bundles = new BundleDownloads();
  readonly #log: Logger;
  /** When assignments left the hub, before anything was verified: that work is not the hub's. */
  readonly #arrivals = new WeakMap<Signed, number>();
  #link: AgentLink;
  #session: Session;
  #process = new AbortController();
  /** Aborted when another session is open. */
  #reopened = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #away = 0;
  #muted = false;
  connected = false;

  private constructor(options: AgentOptions, records: Records, connection: HubConnection, link: AgentLink) {
    this.#options = options;
    this.name = options.name;
    this.#records = records;
    this.#connection = connection;
    this.#cluster = new SimulatedCluster({
      name: this.name,
      behaviour: options.behaviour,
      now: () => this.#now(),
      report: (status) => this.#report(status),
      finished: (key, version) =>
        this.#session.dispatch({ kind: 'finished', key, version, nowMs: this.#now() }),
      silence: (ms) => void this.mute(ms),
    });
    this.#log = logOf((what) => this.#refused(what));
    this.#link = link;
    this.#session = this.#newSession();
  }

  /** An agent that has enrolled; not connected yet. */
  static async load(options: AgentOptions): Promise<SimulatedAgent> {
    const records = new Records(options.store);
    const identity = await records.identity();
    if (!identity?.accepted) throw new Error(`${options.name} has not enrolled`);
    const agents: SimulatedAgent[] = [];
    const link = await newLink(records, () => agents[0]!.#cluster.statuses);
    const agent = new SimulatedAgent(options, records, new HubConnection(options.hub, identity), link);
    agents.push(agent);
    // What it held when it was last stopped is there once it has been applied again.
    for (const [key, held] of link.held) agent.#cluster.reconcile(key, held);
    return agent;
  }

  /** Every assignment that it holds, by `namespace/name`. */
  get held(): ReadonlyMap<string, HeldAssignment> {
    return this.#link.held;
  }

  /** What its cluster is like. */
  get cluster(): SimulatedCluster {
    return this.#cluster;
  }

  /** Says once more what it has said. */
  repeat(): void {
    this.#session.dispatch({ kind: 'status', statuses: this.#cluster.statuses });
  }

  /** Opens a session, and again whenever it ends, as an agent does. */
  connect(): void {
    this.#away = 0;
    this.#ended = this.#session.run(() => this.#away <= Date.now());
  }

  /** Cuts the connection, and does not come back before. The hub notices at once. */
  cut(ms = 0): void {
    this.#away = Date.now() + ms;
    this.#session.disconnect();
  }

  /** It was cut off, and is not to come back yet. */
  get away(): boolean {
    return this.#away > Date.now();
  }

  /** Dials at once, also where it was cut off for longer. */
  hurry(): void {
    this.#away = 0;
    this.#session.hurry();
  }

  /** Begins anew with what it holds of an Application. */
  again(key: string): void {
    const held = this.#link.held.get(key);
    if (held) this.#cluster.reconcile(key, held);
  }

  /** Says nothing and hears nothing, on a connection that looks open; then dials again. */
  async mute(ms: number): Promise<void> {
    if (this.#muted) return;
    this.#muted = true;
    const { signal } = this.#process;
    await sleep(ms, undefined, { signal }).catch(() => undefined);
    this.#muted = false;
    if (!signal.aborted) this.cut();
  }

  /** Ends the process at once; another one goes on from what was stored. What runs in the cluster runs on. */
  async restart(): Promise<void> {
    await this.#end();
    this.#process = new AbortController();
    this.#muted = false;
    this.#link = await newLink(this.#records, () => this.#cluster.statuses);
    this.#session = this.#newSession();
    // What was stored, and perhaps acknowledged, and not begun.
    for (const [key, held] of this.#link.held)
      if (!this.#cluster.isReconciled(key, held)) this.#reconcile(key, held);
    this.connect();
  }

  async stop(): Promise<void> {
    this.#cluster.stop();
    await this.#end();
    this.#connection.close();
  }

  async #end(): Promise<void> {
    this.#process.abort();
    await this.#ended;
  }

  #now(): number {
    return Date.now() + this.#options.skewMs;
  }

  #newSession(): Session {
    const { observe, kubeSystemUid } = this.#options;
    return new Session({
      link: this.#link,
      client: () => this.#client(),
      persist: (change) => this.#records.persist(change),
      agentVersion: AGENT_VERSION,
      kubeSystemUid,
      facts: async () => FACTS,
      reconcile: (key, held) => {
        const at = this.#arrivals.get(held.signed) ?? performance.now();
        observe({ kind: 'assigned', agent: this.name, application: key, held, at });
        this.#reconcile(key, held);
      },
      run: (command) => this.#run(command),
      ask: () => undefined,
      cancelAsk: () => undefined,
      connection: (open) => {
        this.connected = open;
        if (!open) return;
        this.#reopened.abort();
        this.#reopened = new AbortController();
      },
      log: this.#log,
      signal: this.#process.signal,
      now: () => this.#now(),
    });
  }

  #reconcile(key: string, held: HeldAssignment): void {
    void this.#fetch(key, held).then(
      () => this.#link.held.get(key) === held && this.#cluster.reconcile(key, held),
    );
  }

  /** The client, whose streams neither take nor give while this agent is muted. */
  #client(): AgentServiceClient {
    const client = this.#connection.forNewStream();
    const session = (): ReturnType<AgentServiceClient['session']> => {
      const stream = client.session();
      const { write } = stream;
      stream.write = ((...message: Parameters<typeof write>) =>
        this.#muted || Reflect.apply(write, stream, message)) as typeof write;
      const { emit } = stream;
      stream.emit = (event: string | symbol, ...values: unknown[]) => {
        if (event === 'data') {
          if (this.#muted) return true;
          const { message } = values[0] as SessionResponse;
          if (message?.$case === 'assignment') this.#arrivals.set(message.value, performance.now());
          if (message?.$case === 'reportAck')
            this.#options.observe({ kind: 'acknowledged', agent: this.name, at: performance.now() });
        }
        const arrive = () => Reflect.apply(emit, stream, [event, ...values]) as boolean;
        const { distanceMs } = this.#options;
        if (distanceMs === 0 || event !== 'data') return arrive();
        // In the order in which they were sent; what is on its way when the stream ends is lost.
        setTimeout(() => !stream.destroyed && !stream.readableEnded && arrive(), distanceMs);
        return true;
      };
      return stream;
    };
    return new Proxy(client, {
      get: (target, name) => (name === 'session' ? session : Reflect.get(target, name)),
    });
  }

  /** Tries until it has the bundle or does not hold it any more: again at once when there is another session. */
  async #fetch(key: string, held: HeldAssignment): Promise<void> {
    const { action, bundleDigest, bundleSize } = held.assignment;
    if (!this.#options.downloads || action !== Action.APPLY) return;
    const { signal } = this.#process;
    for (let tries = 0; !signal.aborted && this.#link.held.get(key) === held; tries++) {
      try {
        await this.#bundles.fetch(this.#connection.client, bundleDigest, Number(bundleSize), signal);
        return;
      } catch (error) {
        if (tries === 10) this.#refused(`the bundle of ${key}: ${(error as Error).message}`);
        const until = AbortSignal.any([signal, this.#reopened.signal]);
        await sleep(100 * 2 ** Math.min(tries, 5), undefined, { signal: until }).catch(() => undefined);
      }
    }
  }

  #report(status: ApplicationStatus): void {
    this.#options.observe({ kind: 'reported', agent: this.name, status, at: performance.now() });
    this.#session.dispatch({ kind: 'status', statuses: [status] });
  }

  #run(command: Command): void {
    const key = applicationKey(command);
    const done = command.verb?.$case !== 'sync' || this.#cluster.sync(key);
    this.#session.dispatch({
      kind: 'command-finished',
      id: command.id,
      outcome: done ? CommandOutcome.SUCCEEDED : CommandOutcome.FAILED,
      message: done ? '' : `${key} is not held here`,
      nowMs: this.#now(),
    });
  }

  #refused(what: string): void {
    this.#options.observe({ kind: 'refused', agent: this.name, what, at: performance.now() });
  }
}

/** A log that keeps nothing but what the link refused of the hub. */
function logOf(refused: (what: string) => void): Logger {
  return pino({
    level: 'warn',
    hooks: {
      logMethod: ([about]) => {
        const { what, reason } = about as { what?: string; reason?: string };
        if (what) refused(`${what}: ${reason}`);
      },
    },
  });
}

async function newLink(records: Records, everything: () => ApplicationStatus[]): Promise<AgentLink> {
  const identity = (await records.identity())!.accepted!;
  const { hubId, clusterId, rootPublicKey } = identity;
  const pinned = { hubId, clusterId, rootPublicKey: Buffer.from(rootPublicKey, 'base64') };
  return new AgentLink(pinned, await records.memory(), randomUUID(), Date.now(), everything);
}
