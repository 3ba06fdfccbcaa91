import { randomUUID } from 'node:crypto';
import { MusterError } from '@muster/base';
import type { Hello, SessionRequest } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { SessionsRegistry } from '../clusters/sessions-registry.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { AgentSession, type AgentStream } from './agent-session.ts';
import { toServiceError } from './grpc-status.ts';
import { LastSeen } from './last-seen.ts';
import { peerOf } from './peer.ts';
import { SessionOpenings } from './session-opening.ts';
import { SessionReview } from './session-review.ts';
import { SessionWorkFactory } from './session-work.ts';

const HELLO_WITHIN_MS = 20_000;
/** Messages that may come before the welcome: a well-behaved agent sends none. */
const MAX_EARLY = 16;
const WRONG_CLOCK_MS = 60_000;

/** The open sessions of this replica. */
@Injectable()
export class Sessions {
  readonly #openings: SessionOpenings;
  readonly #work: SessionWorkFactory;
  readonly #review: SessionReview;
  readonly #registry: SessionsRegistry;
  readonly #lastSeen: LastSeen;
  readonly #logger: Logger;
  readonly #open = new Map<string, AgentSession>();
  #stopping = false;

  constructor(
    @Inject(SessionOpenings) openings: SessionOpenings,
    @Inject(SessionWorkFactory) work: SessionWorkFactory,
    @Inject(SessionReview) review: SessionReview,
    @Inject(SessionsRegistry) registry: SessionsRegistry,
    @Inject(LastSeen) lastSeen: LastSeen,
    @Inject(LOGGER) logger: Logger,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.#openings = openings;
    this.#work = work;
    this.#review = review;
    this.#registry = registry;
    this.#lastSeen = lastSeen;
    this.#logger = logger.child({ part: 'agents' });
    metrics.gauge('muster_agent_sessions', 'Open agent sessions of this replica', () => this.#open.size);
    metrics.gauge(
      'muster_clusters_with_wrong_clock',
      'Clusters that can be heard whose clock is off by more than a minute',
      () => registry.clocksOff(WRONG_CLOCK_MS),
    );
  }

  get size(): number {
    return this.#open.size;
  }

  get all(): AgentSession[] {
    return [...this.#open.values()];
  }

  /** The session of a cluster, if it is open here. */
  of(clusterId: string): AgentSession | undefined {
    return this.#open.get(clusterId);
  }

  /** Takes a new stream: the hello within 20 s, then whatever comes. */
  accept(stream: AgentStream): void {
    let session: AgentSession | undefined;
    let opening = false;
    let over = false;
    const early: SessionRequest[] = [];
    const fail = (error: unknown) => {
      if (session) session.close(error);
      else if (!over) stream.emit('error', toServiceError(error));
    };
    const timer = setTimeout(() => fail(new MusterError('precondition', 'no hello came')), HELLO_WITHIN_MS);
    const ended = () => {
      over = true;
      clearTimeout(timer);
      if (session) this.#forget(session);
    };
    const begun = (begunSession: AgentSession) => {
      session = begunSession;
      if (over) return this.#forget(session);
      for (const waiting of early.splice(0)) session.received(waiting);
    };
    stream.on('data', (message: SessionRequest) => {
      if (session) return session.received(message);
      if (opening) {
        if (early.push(message) > MAX_EARLY)
          fail(new MusterError('limit', 'too many messages before the welcome'));
        return;
      }
      opening = true;
      clearTimeout(timer);
      this.#begin(stream, message).then(begun, fail);
    });
    stream.on('end', () => stream.end());
    stream.on('close', ended);
    stream.on('cancelled', ended);
    stream.on('error', ended);
  }

  /** Ends all streams, so that agents dial another replica. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const session of this.all) session.close(new MusterError('unavailable', 'the hub is stopping'));
    await this.#lastSeen.flush();
  }

  /** Ends those of these sessions that are no longer their cluster's: the row says which is the newest. */
  async fence(sessions: AgentSession[]): Promise<void> {
    if (sessions.length === 0) return;
    const current = await this.#registry.current(sessions.map((session) => session.peer.clusterId));
    for (const session of sessions) {
      if (current.get(session.peer.clusterId) !== session.id) session.close(fenced());
    }
  }

  async #begin(stream: AgentStream, first: SessionRequest): Promise<AgentSession> {
    if (first.message?.$case !== 'hello') {
      throw new MusterError('invalid', 'the first message of a session is a hello');
    }
    if (this.#stopping) throw new MusterError('unavailable', 'the hub is stopping');
    const hello: Hello = first.message.value;
    const peer = peerOf(stream);
    const id = randomUUID();
    const { cluster, opening } = await this.#openings.open(peer, hello, id);
    const { holding } = opening;
    const about = {
      id,
      peer,
      clusterName: cluster.name,
      holding,
      registrationRevision: cluster.registration_revision,
    };
    const session = new AgentSession(stream, this.#work.for(cluster, id), about);
    this.#open.get(cluster.id)?.close(fenced());
    this.#open.set(cluster.id, session);
    session.open(hello, opening);
    this.#logger.info(
      { cluster: cluster.name, session: id, holding, agent: hello.agentVersion },
      'session opened',
    );
    // What changed between loading and registering was announced to nobody here.
    session.assignmentsChanged();
    await Promise.all([this.fence([session]), this.#review.reconsider([session])]);
    return session;
  }

  #forget(session: AgentSession): void {
    session.ended();
    const { clusterId } = session.peer;
    if (this.#open.get(clusterId) !== session) return;
    this.#open.delete(clusterId);
    this.#logger.info({ cluster: session.clusterName, session: session.id }, 'session ended');
    this.#registry.leave(clusterId, session.id).catch(() => undefined);
  }
}

function fenced(): MusterError {
  return new MusterError('conflict', 'a newer session of this cluster has taken over');
}
