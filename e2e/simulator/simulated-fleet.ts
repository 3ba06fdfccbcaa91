import { setTimeout as sleep } from 'node:timers/promises';
import { type HubClient, hubClient } from '@muster/api/client';
import { type Hub, eventually } from '../src/index.ts';
import { type Behaviour, chance } from './behaviour.ts';
import { enrolAll, save, uidOf } from './enrolments.ts';
import type { MemoryStore } from './memory-store.ts';
import { type Seen, SimulatedAgent } from './simulated-agent.ts';

export interface FleetOptions {
  /** A hub that runs; its admin enrols the agents. */
  hub: Pick<Hub, 'url' | 'adminPassword' | 'listening'>;
  /** Labels by cluster. */
  clusters: ReadonlyMap<string, Record<string, string>>;
  behaviour: Behaviour;
  /** What is drawn by it: clocks, and who takes part in a storm. */
  seed: number;
  /** Clocks of clusters are wrong by at most so much, both ways; 0 unless told. */
  skewMs?: number;
  /** Bundles are downloaded and checked; true unless told. */
  downloads?: boolean;
  /** How long what the hub says is on its way, once it has left; 0 unless told. */
  distanceMs?: number;
  /** File that keeps identities, for a hub that is started again. */
  cache?: string;
  observe?(seen: Seen): void;
  log?(line: string): void;
  signal?: AbortSignal;
}

const PROGRESS_MS = 5_000;
const CONNECTS_A_SECOND = 200;
const CONNECTED_WITHIN_MS = 180_000;

/** Many agents in one process, against one hub. */
export class SimulatedFleet {
  readonly agents: ReadonlyMap<string, SimulatedAgent>;
  readonly client: HubClient;
  readonly #options: FleetOptions;
  readonly #stores: ReadonlyMap<string, MemoryStore>;

  private constructor(
    options: FleetOptions,
    client: HubClient,
    agents: ReadonlyMap<string, SimulatedAgent>,
    stores: ReadonlyMap<string, MemoryStore>,
  ) {
    this.#options = options;
    this.client = client;
    this.agents = agents;
    this.#stores = stores;
  }

  /** Enrols and connects all of them. Throws when some are not connected within three minutes. */
  static async start(options: FleetOptions): Promise<SimulatedFleet> {
    const { hub, clusters, seed, skewMs = 0, cache, signal = new AbortController().signal } = options;
    const { log = () => undefined, observe = () => undefined } = options;
    const client = await logIn(hub);
    let told = Date.now();
    const stores = await enrolAll({
      client,
      gateway: hub.listening,
      clusters,
      cache,
      signal,
      progress: (done, of) => {
        if (Date.now() - told < PROGRESS_MS) return;
        told = Date.now();
        log(`${done} of ${of} agents have enrolled`);
      },
    });
    const agents = new Map<string, SimulatedAgent>();
    for (const [name, store] of stores) {
      const agent = await SimulatedAgent.load({
        name,
        hub: hub.listening.session,
        store,
        kubeSystemUid: uidOf(name),
        behaviour: options.behaviour,
        skewMs: Math.round((2 * chance(seed, 'skew', name) - 1) * skewMs),
        downloads: options.downloads ?? true,
        distanceMs: options.distanceMs ?? 0,
        observe,
      });
      agents.set(name, agent);
    }
    const fleet = new SimulatedFleet(options, client, agents, stores);
    await fleet.#connectAll();
    return fleet;
  }

  agent(name: string): SimulatedAgent {
    const agent = this.agents.get(name);
    if (!agent) throw new Error(`there is no simulated cluster ${name}`);
    return agent;
  }

  get connected(): number {
    return [...this.agents.values()].filter((agent) => agent.connected).length;
  }

  /** Cuts a part of the agents off at the same moment; each comes back within `awayMs`. Answers their names. */
  storm(name: string, part: number, awayMs: number): string[] {
    const { seed } = this.#options;
    const struck = [...this.agents.values()].filter((agent) => chance(seed, name, agent.name) < part);
    for (const agent of struck) agent.cut(awayMs * chance(seed, name, 'away', agent.name));
    return struck.map((agent) => agent.name);
  }

  /** Waits until every agent has a session. */
  async allConnected(): Promise<void> {
    const { signal } = this.#options;
    await eventually((see) => see(this.connected) === this.agents.size, {
      what: `${this.agents.size} agents to be connected`,
      timeout: CONNECTED_WITHIN_MS,
      ...(signal ? { signal } : {}),
    });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.stop()));
    await save(this.#options.cache, this.#options.hub.listening.caSha256, this.#stores);
  }

  async #connectAll(): Promise<void> {
    let connected = 0;
    for (const agent of this.agents.values()) {
      agent.connect();
      if (++connected % (CONNECTS_A_SECOND / 20) === 0) await sleep(50);
    }
    await this.allConnected();
  }
}

async function logIn(hub: FleetOptions['hub']): Promise<HubClient> {
  const { cookie } = await hubClient({ hub: hub.url }).session.login({
    name: 'admin',
    password: hub.adminPassword,
  });
  return hubClient({ hub: hub.url, ...(cookie ? { cookie } : {}) });
}
