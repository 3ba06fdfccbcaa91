import { MusterError, canonicalJson, sha256 } from '@muster/base';
import type { Facts, Signed } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { Audit } from '../audit/audit.ts';
import { Keys } from '../keys/keys.ts';
import { Notifications } from '../store/notifications.ts';
import type { Labels, Trx } from '../store/schema.ts';
import { type ClusterChange, ClusterChanges } from './cluster-changes.ts';
import { type ClusterQuery, type ClusterRow, ClustersRepository } from './clusters.repository.ts';
import { boundFacts } from './facts.ts';
import { encodeRegistration } from './registration.ts';
import { type ChangedCluster, RegistryChangesRepository } from './registry-changes.repository.ts';

export type { ClusterRow };

/** NOTIFY channel; payload: cluster id. Its row changed in a way that an open session has to act on. */
export const CLUSTERS_CHANNEL = 'clusters';

/** A cluster as generators and destinations see it. */
export interface ClusterFacts {
  id: string;
  name: string;
  server: string;
  labels: Labels;
  annotations: Labels;
  local: boolean;
  version: bigint;
}

/** What templates may ask of a cluster. */
export interface Capabilities {
  kubeVersion: string;
  /** As Helm's `.Capabilities.APIVersions`, sorted. */
  apiVersions: string[];
  /** Equal for clusters that offer the same. */
  hash: string;
}

/** `https://kubernetes.default.svc` and `in-cluster`: the cluster registered as local. */
const LOCAL_SERVER = 'https://kubernetes.default.svc';
const LOCAL_NAME = 'in-cluster';

/** `spec.destination` of an Application. */
export interface Destination {
  server?: string;
  name?: string;
}

/** The registry. */
@Injectable()
export class ClustersService {
  readonly #repository: ClustersRepository;
  readonly #changes: ClusterChanges;
  readonly #keys: Keys;
  readonly #notifications: Notifications;
  readonly #events: Events;
  readonly #audit: Audit;
  readonly #registry: RegistryChangesRepository;

  constructor(
    @Inject(ClustersRepository) repository: ClustersRepository,
    @Inject(ClusterChanges) changes: ClusterChanges,
    @Inject(Keys) keys: Keys,
    @Inject(Notifications) notifications: Notifications,
    @Inject(Events) events: Events,
    @Inject(Audit) audit: Audit,
    @Inject(RegistryChangesRepository) registry: RegistryChangesRepository,
  ) {
    this.#repository = repository;
    this.#changes = changes;
    this.#keys = keys;
    this.#notifications = notifications;
    this.#events = events;
    this.#audit = audit;
    this.#registry = registry;
    // Clusters are shown to whoever may view anything.
    events.visibility('cluster', (keys) => Promise.resolve(keys));
  }

  /** What the clusters generator sees: active clusters only, in name order. */
  forExpansion(): Promise<ClusterFacts[]> {
    return this.#repository.active();
  }

  /** Where changes are read on from after a read that begins now. */
  position(): Promise<string> {
    return this.#registry.position();
  }

  /** The clusters that generators may see otherwise since a position, at most `limit` of them; and where to read on. */
  changedSince(position: string, limit: number): Promise<{ at: string; changed: ChangedCluster[] }> {
    return this.#registry.since(position, limit);
  }

  /** Those of some clusters that are active. */
  activeAmong(trx: Trx, ids: readonly string[]): Promise<{ id: string }[]> {
    return this.#repository.activeAmong(trx, ids);
  }

  byIds(ids: string[]): Promise<ClusterRow[]> {
    return this.#repository.byIds(ids);
  }

  byId(id: string): Promise<ClusterRow | undefined> {
    return this.#repository.byId(id);
  }

  /** @throws MusterError not-found. */
  async byName(name: string): Promise<ClusterRow> {
    return found(await this.#repository.byName(name), name);
  }

  list(query: ClusterQuery): Promise<ClusterRow[]> {
    return this.#repository.list(query);
  }

  counts() {
    return this.#repository.counts();
  }

  /** What each cluster last reported that it can do; worked out once for all that say the same. */
  async capabilities(ids: string[]): Promise<Map<string, Capabilities>> {
    const found = new Map<string, Capabilities>();
    for (const { version, apis, ids: those } of await this.#repository.capabilities(ids)) {
      const kubeVersion = version ?? '';
      const apiVersions = apis ?? [];
      const hash = sha256(canonicalJson([kubeVersion, apiVersions]));
      for (const id of those) found.set(id, { kubeVersion, apiVersions, hash });
    }
    return found;
  }

  /**
   * The active clusters that destinations mean, in their order, in a few statements whatever their number;
   * undefined where none does.
   */
  async resolveDestinations(destinations: readonly Destination[]): Promise<(ClusterFacts | undefined)[]> {
    const asked = destinations.map(({ server, name }) => ({
      name,
      server: name ? undefined : server?.replace(/\/+$/, ''),
      isLocal: name === LOCAL_NAME || (!name && server === LOCAL_SERVER),
    }));
    const given = (of: 'name' | 'server') => [...new Set(asked.flatMap((one) => one[of] || []))];
    const active = await this.#repository.activeAt(given('name'), given('server'));
    // Of several clusters with one server, the first by name counts.
    const byServer = new Map(active.toReversed().map((row) => [row.server, row]));
    const byName = new Map(active.map((row) => [row.name, row]));
    const local = asked.some((one) => one.isLocal) ? await this.#repository.local() : undefined;
    return asked.map(({ name, server, isLocal }) => {
      if (name) return byName.get(name) ?? (isLocal ? local : undefined);
      if (isLocal) return local;
      return server ? byServer.get(server) : undefined;
    });
  }

  /** Changes labels, annotations or the server. @throws MusterError not-found, conflict for a server in use. */
  async patch(
    name: string,
    patch: { labels?: Labels; annotations?: Labels; server?: string },
    actor: Actor,
  ): Promise<ClusterRow> {
    return this.#repository.transaction(async (trx) => {
      const row = found(await this.#repository.lockByName(trx, name), name);
      if (patch.server !== undefined) await this.requireFreeServer(patch.server, name);
      const changed = await this.#repository.change(trx, row.id, {
        ...(patch.labels ? { labels: JSON.stringify(patch.labels) } : {}),
        ...(patch.annotations ? { annotations: JSON.stringify(patch.annotations) } : {}),
        ...(patch.server === undefined ? {} : { server: patch.server }),
      });
      await this.#audit.record(trx, {
        actor,
        action: 'cluster.change',
        object: `cluster/${name}`,
        details: { ...patch },
      });
      await this.announce(trx, changed, patch.server === undefined ? 'labelled' : 'changed');
      return changed;
    });
  }

  /** Two clusters with one server could not be told apart in a destination. @throws MusterError conflict. */
  async requireFreeServer(server: string, name: string): Promise<void> {
    const other = await this.#repository.byServer(server);
    if (other && other.name !== name) {
      throw new MusterError('conflict', `cluster ${other.name} has the server ${server} already`, {
        where: 'server',
      });
    }
  }

  /** A hub runs in one cluster at most. @throws MusterError conflict. */
  async requireNoOtherLocal(name: string): Promise<void> {
    const other = await this.#repository.local();
    if (other && other.name !== name) {
      throw new MusterError('conflict', `cluster ${other.name} is registered as the local cluster already`, {
        where: 'local',
      });
    }
  }

  /** The cluster's registration as the agent keeps it. */
  registration(row: ClusterRow): Signed {
    return this.#keys.signRegistration(encodeRegistration(row, this.#keys.hubId));
  }

  /**
   * Stores what an agent says of its cluster, bounded. Capabilities that differ render again what asked for them.
   * @param knownHash hash of the stored facts, where the caller has the row: equal facts cost nothing.
   */
  async heardFacts(clusterId: string, name: string, facts: Facts, knownHash?: string | null): Promise<void> {
    const bounded = boundFacts(facts);
    const hash = sha256(canonicalJson(bounded));
    if (hash === knownHash) return;
    await this.#repository.transaction(async (trx) => {
      const changed = await this.#repository.storeFacts(trx, clusterId, { ...bounded }, hash);
      if (!changed) return;
      if (changed.capabilities) await this.#changes.announce(trx, { ids: [clusterId], kind: 'changed' });
      await this.#events.publish('cluster', [name], { trx });
    });
  }

  /** An agent refused what it was sent: whoever looks at the audit log should know. */
  async refused(name: string, reason: string, application?: string): Promise<void> {
    const details = application ? { application } : {};
    await this.#repository.transaction((trx) =>
      this.#audit.record(trx, {
        actor: `cluster:${name}`,
        action: 'assignment.refused',
        object: `cluster/${name}`,
        reason: reason.slice(0, 1024),
        details,
      }),
    );
    await this.#events.publish('cluster', [name]);
  }

  /** Tells everyone inside the transaction: those who expand, open sessions, and pages. */
  async announce(trx: Trx, row: Pick<ClusterRow, 'id' | 'name'>, kind: ClusterChange['kind']): Promise<void> {
    await this.announceAll(trx, [row], kind);
  }

  /** As `announce`, of several clusters that change together. */
  async announceAll(
    trx: Trx,
    rows: readonly Pick<ClusterRow, 'id' | 'name'>[],
    kind: ClusterChange['kind'],
  ): Promise<void> {
    const ids = rows.map(({ id }) => id);
    await this.#changes.announce(trx, { ids, kind });
    await this.#notifications.publishAll(trx, CLUSTERS_CHANNEL, ids);
    const names = rows.map(({ name }) => name);
    await this.#events.publish('cluster', names, { trx });
  }
}

function found(row: ClusterRow | undefined, name: string): ClusterRow {
  if (!row) throw new MusterError('not-found', `there is no cluster ${name}`);
  return row;
}
