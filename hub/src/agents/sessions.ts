import { randomUUID } from 'node:crypto';
import { MusterError } from '@muster/base';
import type { Hello, SessionRequest } from '@muster/proto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ASSIGNMENTS_CHANNEL } from '../assignments/assignments.service.ts';
import { CertificatesService } from '../clusters/certificates.service.ts';
import { CLUSTERS_CHANNEL, ClustersService } from '../clusters/clusters.service.ts';
import { holdingReason } from '../clusters/holding.ts';
import { SESSIONS_CHANNEL, SessionsRegistry } from '../clusters/sessions-registry.ts';
import { COMMANDS_CHANNEL, CommandsService } from '../commands/commands.service.ts';
import { Keys } from '../keys/keys.ts';
import { KEYS_CHANNEL } from '../keys/rotation.service.ts';
import { RECOVERY_CHANNEL, RecoveryService } from '../recovery/recovery.service.ts';
import { Notifications } from '../store/notifications.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { AgentSession, type AgentStream } from './agent-session.ts';
import { toServiceError } from './grpc-status.ts';
import { LastSeen } from './last-seen.ts';
import { peerOf } from './peer.ts';
import { SessionOpenings } from './session-opening.ts';
import { SessionWorkFactory } from './session-work.ts';

const HELLO_WITHIN_MS = 20_000;
const EXPIRY_CHECK_MS = 60_000;

/** The open sessions of this replica, and what reaches them from the rest of the hub. */
@Injectable()
export class Sessions implements OnModuleInit {
  readonly #openings: SessionOpenings;
  readonly #work: SessionWorkFactory;
  readonly #registry: SessionsRegistry;
  readonly #clusters: ClustersService;
  readonly #certificates: CertificatesService;
  readonly #commands: CommandsService;
  readonly #recovery: RecoveryService;
  readonly #keys: Keys;
  readonly #lastSeen: LastSeen;
  readonly #notifications: Notifications;
  readonly #logger: Logger;
  readonly #open = new Map<string, AgentSession>();
  #expiry: NodeJS.Timeout | undefined;
  #stopping = false;

  // biome-ignore lint/complexity/useMaxParams: injected
  constructor(
    @Inject(SessionOpenings) openings: SessionOpenings,
    @Inject(SessionWorkFactory) work: SessionWorkFactory,
    @Inject(SessionsRegistry) registry: SessionsRegistry,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(CommandsService) commands: CommandsService,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(Keys) keys: Keys,
    @Inject(LastSeen) lastSeen: LastSeen,
    @Inject(Notifications) notifications: Notifications,
    @Inject(LOGGER) logger: Logger,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.#openings = openings;
    this.#work = work;
    this.#registry = registry;
    this.#clusters = clusters;
    this.#certificates = certificates;
    this.#commands = commands;
    this.#recovery = recovery;
    this.#keys = keys;
    this.#lastSeen = lastSeen;
    this.#notifications = notifications;
    this.#logger = logger.child({ part: 'agents' });
    metrics.gauge('muster_agent_sessions', 'Open agent sessions of this replica', () => this.#open.size);
  }

  async onModuleInit(): Promise<void> {
    const all = () => [...this.#open.keys()];
    const listen = (
      channel: string,
      act: (payload: string) => Promise<void> | void,
      gap: () => Promise<void> | void,
    ) => {
      const guarded = (work: () => Promise<void> | void) => {
        Promise.resolve()
          .then(work)
          .catch((error: unknown) =>
            this.#logger.warn({ err: error, channel }, 'a notification could not be handled'),
          );
      };
      return this.#notifications.subscribe(
        channel,
        (payload) => guarded(() => act(payload)),
        () => guarded(gap),
      );
    };
    const assigned = (ids: string[]) => {
      for (const id of ids) this.#open.get(id)?.assignmentsChanged();
    };
    await listen(
      ASSIGNMENTS_CHANNEL,
      (payload) => assigned(payload === '*' ? all() : payload.split(',')),
      () => assigned(all()),
    );
    const commanded = (ids: string[]) => {
      for (const id of ids) this.#open.get(id)?.commandsChanged(() => this.#commands.toDeliver(id, 'later'));
    };
    await listen(
      COMMANDS_CHANNEL,
      (id) => commanded([id]),
      () => commanded(all()),
    );
    await listen(
      CLUSTERS_CHANNEL,
      (id) => this.#reconsider([id]),
      () => this.#reconsider(all()),
    );
    await listen(
      RECOVERY_CHANNEL,
      () => this.#reconsider(all()),
      () => this.#reconsider(all()),
    );
    await listen(
      SESSIONS_CHANNEL,
      (payload) => {
        const [clusterId, sessionId] = payload.split(' ') as [string, string];
        // One's own news needs no look at the row.
        return this.#open.get(clusterId)?.id === sessionId ? undefined : this.#fence([clusterId]);
      },
      () => this.#fence(all()),
    );
    await listen(
      KEYS_CHANNEL,
      () => this.#keySetChanged(),
      () => this.#keySetChanged(),
    );
    this.#expiry = setInterval(() => void this.#endExpired().catch(() => undefined), EXPIRY_CHECK_MS);
    this.#expiry.unref();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes a new stream: the hello within 20 s, then whatever comes. */
  accept(stream: AgentStream): void {
    let session: AgentSession | undefined;
    let opening = false;
    const early: SessionRequest[] = [];
    const fail = (error: unknown) => {
      if (session) return session.close(error);
      stream.emit('error', toServiceError(error));
    };
    const timer = setTimeout(() => fail(new MusterError('precondition', 'no hello came')), HELLO_WITHIN_MS);
    stream.on('data', (message: SessionRequest) => {
      if (session) return session.received(message);
      if (opening) {
        // A well-behaved agent waits for its welcome; a little impatience is kept.
        if (early.push(message) > 16) fail(new MusterError('limit', 'too many messages before the welcome'));
        return;
      }
      opening = true;
      clearTimeout(timer);
      if (message.message?.$case !== 'hello')
        return fail(new MusterError('invalid', 'the first message of a session is a hello'));
      this.#begin(stream, message.message.value).then((begun) => {
        session = begun;
        for (const waiting of early.splice(0)) session.received(waiting);
      }, fail);
    });
    const ended = () => {
      clearTimeout(timer);
      if (session && !session.closed) session.ended();
      if (session) this.#forget(session);
    };
    stream.on('end', () => stream.end());
    stream.on('close', ended);
    stream.on('cancelled', ended);
    stream.on('error', () => undefined);
  }

  /** Ends all streams, so that agents dial another replica. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#expiry);
    for (const session of this.#open.values())
      session.close(new MusterError('unavailable', 'the hub is stopping'));
    await this.#lastSeen.flush();
  }

  async #begin(stream: AgentStream, hello: Hello): Promise<AgentSession> {
    if (this.#stopping) throw new MusterError('unavailable', 'the hub is stopping');
    const peer = peerOf(stream);
    const id = randomUUID();
    const { cluster, opening } = await this.#openings.open(peer, hello, id);
    const session = new AgentSession(stream, this.#work.for(cluster, id), {
      id,
      peer,
      clusterName: cluster.name,
      holding: opening.holding,
      registrationRevision: cluster.registration_revision,
    });
    this.#open
      .get(cluster.id)
      ?.close(new MusterError('conflict', 'a newer session of this cluster has taken over'));
    this.#open.set(cluster.id, session);
    session.open(hello, opening);
    this.#logger.info(
      { cluster: cluster.name, session: id, holding: opening.holding, agent: hello.agentVersion },
      'session opened',
    );
    // What changed between loading and registering was announced to nobody here.
    session.assignmentsChanged();
    await this.#reconsider([cluster.id]);
    return session;
  }

  #forget(session: AgentSession): void {
    const { clusterId } = session.peer;
    if (this.#open.get(clusterId) !== session) return;
    this.#open.delete(clusterId);
    this.#logger.info({ cluster: session.clusterName, session: session.id }, 'session ended');
    this.#registry.leave(clusterId, session.id).catch(() => undefined);
  }

  /** The row says who the newest is; notifications of two replicas may cross. */
  async #fence(ids: string[]): Promise<void> {
    const here = ids.filter((id) => this.#open.has(id));
    if (here.length === 0) return;
    const current = await this.#registry.current(here);
    for (const id of here) {
      const session = this.#open.get(id);
      if (!session || current.get(id) === session.id) continue;
      session.close(new MusterError('conflict', 'a newer session of this cluster has taken over'));
    }
  }

  /** Rows changed: registrations go out, holding begins or ends, and whoever is gone or revoked is cut off. */
  async #reconsider(ids: string[]): Promise<void> {
    const here = ids.filter((id) => this.#open.has(id));
    if (here.length === 0) return;
    const hub = await this.#recovery.state();
    const rows = new Map((await this.#clusters.byIds(here)).map((row) => [row.id, row]));
    for (const id of here) {
      const session = this.#open.get(id);
      if (!session) continue;
      const row = rows.get(id);
      const revoked = await this.#certificates.requireUnrevoked(session.peer).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (revoked || !row) {
        session.close(revoked ?? new MusterError('unauthenticated', 'the cluster was removed'));
        continue;
      }
      const holding = holdingReason(row, hub);
      if (holding !== session.holding) {
        session.holding = holding;
        const commands = holding === undefined ? await this.#commands.toDeliver(id, 'opening') : [];
        session.dispatch({
          kind: 'holding',
          ...(holding === undefined ? {} : { reason: holding }),
          commands,
        });
      }
      if (
        row.registration_revision !== session.registrationRevision &&
        row.state !== 'pending' &&
        row.state !== 'recovered'
      ) {
        session.registrationRevision = row.registration_revision;
        session.dispatch({ kind: 'registration', signed: this.#clusters.registration(row) });
      }
    }
  }

  async #keySetChanged(): Promise<void> {
    await this.#keys.reload();
    const signed = this.#keys.keySet();
    for (const session of this.#open.values()) session.dispatch({ kind: 'key-set', signed });
  }

  /** An open stream outlives its certificate only when a newer one was given out meanwhile. */
  async #endExpired(now = Date.now()): Promise<void> {
    const ended = [...this.#open].filter(([, session]) => session.expiresAt.getTime() < now);
    const latest = await this.#certificates.latestExpiry(ended.map(([id]) => id));
    for (const [id, session] of ended) {
      const until = latest.get(id);
      if (until && until.getTime() > now) session.expiresAt = until;
      else session.close(new MusterError('unauthenticated', 'the certificate of this session has expired'));
    }
  }
}
