import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { Events } from '../api/events.ts';
import { Audit } from '../audit/audit.ts';
import { CONFIG, type Config } from '../config.ts';
import { Notifications } from '../store/notifications.ts';
import { type ClusterRow, ClustersRepository } from './clusters.repository.ts';
import type { Heard } from './heard.ts';
import { needsNewConfirmation } from './holding.ts';
import { SessionChanges } from './session-changes.ts';
import { SessionsRepository } from './sessions.repository.ts';

/** NOTIFY channel; payload `<cluster id> <session id>`: that session is the cluster's now. */
export const SESSIONS_CHANNEL = 'sessions';

/** Which session is a cluster's, across replicas: a row, so that the newest fences the older wherever it is. */
@Injectable()
export class SessionsRegistry {
  readonly #repository: ClustersRepository;
  readonly #sessions: SessionsRepository;
  readonly #changes: SessionChanges;
  readonly #notifications: Notifications;
  readonly #events: Events;
  readonly #audit: Audit;
  readonly #config: Config;

  constructor(
    @Inject(ClustersRepository) repository: ClustersRepository,
    @Inject(SessionsRepository) sessions: SessionsRepository,
    @Inject(SessionChanges) changes: SessionChanges,
    @Inject(Notifications) notifications: Notifications,
    @Inject(Events) events: Events,
    @Inject(Audit) audit: Audit,
    @Inject(CONFIG) config: Config,
  ) {
    this.#repository = repository;
    this.#sessions = sessions;
    this.#changes = changes;
    this.#notifications = notifications;
    this.#events = events;
    this.#audit = audit;
    this.#config = config;
  }

  /** The identity belongs to one kube-system UID. @throws MusterError precondition for a second one, which is raised as cloned. */
  async requireSameCluster(row: ClusterRow, kubeSystemUid: string): Promise<void> {
    if (!row.kube_system_uid || row.kube_system_uid === kubeSystemUid) return;
    if (row.cloned_uid !== kubeSystemUid) {
      await this.#repository.transaction(async (trx) => {
        await this.#repository.note(trx, row.id, {
          cloned_uid: kubeSystemUid.slice(0, 64),
          cloned_at: new Date(),
        });
        await this.#audit.record(trx, {
          actor: `cluster:${row.name}`,
          action: 'cluster.cloned',
          object: `cluster/${row.name}`,
          details: { kubeSystemUid },
        });
        await this.#events.publish('cluster', [row.name], { trx });
      });
    }
    throw new MusterError(
      'precondition',
      `the identity of cluster ${row.name} belongs to another cluster (kube-system ${row.kube_system_uid})`,
      {
        hint: 'a copied cluster joins with a join token of its own; remove the copied Secret first',
      },
    );
  }

  /** Makes a session the cluster's. `keySetVersion`: what its agent has verified. */
  async take(
    row: ClusterRow,
    sessionId: string,
    hello: { instanceId: string; keySetVersion: bigint },
  ): Promise<ClusterRow> {
    return this.#repository.transaction(async (trx) => {
      if (needsNewConfirmation(row, new Date())) {
        await this.#repository.note(trx, row.id, { removal_held_at: new Date() });
        await this.#audit.record(trx, {
          actor: 'system',
          action: 'cluster.removal-held',
          object: `cluster/${row.name}`,
          reason: 'it came back after a long silence',
        });
      }
      const { replicaId, leaseSeconds } = this.#config;
      const { keySetVersion } = hello;
      const session = {
        sessionId,
        replicaId,
        instanceId: hello.instanceId.slice(0, 128),
        leaseSeconds,
        keySetVersion,
      };
      const taken = await this.#sessions.takeSession(trx, row.id, session);
      if (!taken) throw new MusterError('unavailable', 'the cluster was removed just now');
      await this.#notifications.publish(trx, SESSIONS_CHANNEL, `${row.id} ${sessionId}`);
      await this.#changes.announce(trx, row.id);
      await this.#events.publish('cluster', [row.name], { trx });
      return taken;
    });
  }

  leave(clusterId: string, sessionId: string): Promise<void> {
    return this.#repository.transaction(async (trx) => {
      if (await this.#sessions.leaveSession(trx, clusterId, sessionId))
        await this.#changes.announce(trx, clusterId);
    });
  }

  current(clusterIds: string[]): Promise<Map<string, string | null>> {
    return this.#sessions.sessions(clusterIds);
  }

  /** Everyone heard since the last call, at once. */
  seen(heard: ReadonlyMap<string, Heard>): Promise<void> {
    return this.#sessions.seen(heard);
  }

  /** How many clusters that can be heard have a clock that is off by more than so long. */
  clocksOff(byMs: number): Promise<number> {
    return this.#sessions.clocksOff(byMs);
  }

  /** Clusters whose lease ended within the last so many seconds. */
  newlySilent(withinSeconds: number): Promise<string[]> {
    return this.#sessions.newlySilent(withinSeconds);
  }

  async keySetAcknowledged(clusterId: string, version: bigint): Promise<void> {
    await this.#repository.note(undefined, clusterId, { key_set_version: version });
  }
}
