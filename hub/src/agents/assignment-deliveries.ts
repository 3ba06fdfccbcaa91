import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ASSIGNMENTS_CHANNEL, AssignmentsService } from '../assignments/assignments.service.ts';
import { Notifications } from '../store/notifications.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import type { AgentSession } from './agent-session.ts';
import { desiredAssignment } from './held-line.ts';
import { Sessions } from './sessions.ts';

/** Clusters of one look. */
const AT_ONCE = 500;

/** Hands what is newly assigned anywhere to open sessions here: one look at the database for many of them. */
@Injectable()
export class AssignmentDeliveries implements OnModuleInit, OnModuleDestroy {
  readonly #sessions: Sessions;
  readonly #assignments: AssignmentsService;
  readonly #notifications: Notifications;
  readonly #logger: Logger;
  readonly #due = new Set<AgentSession>();
  #running = false;
  #stop: (() => void) | undefined;

  constructor(
    @Inject(Sessions) sessions: Sessions,
    @Inject(AssignmentsService) assignments: AssignmentsService,
    @Inject(Notifications) notifications: Notifications,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#sessions = sessions;
    this.#assignments = assignments;
    this.#notifications = notifications;
    this.#logger = logger.child({ part: 'agents' });
  }

  async onModuleInit(): Promise<void> {
    this.#stop = await this.#notifications.subscribe(
      ASSIGNMENTS_CHANNEL,
      (payload) => this.#changed(payload === '*' ? this.#sessions.all : this.#of(payload.split(','))),
      () => this.#changed(this.#sessions.all),
    );
  }

  onModuleDestroy(): void {
    this.#stop?.();
  }

  #of(clusterIds: readonly string[]): AgentSession[] {
    return clusterIds.map((id) => this.#sessions.of(id)).filter((session) => session !== undefined);
  }

  /** What is told while a look runs is looked at after it. The messages of one transaction come at once: one look. */
  #changed(sessions: readonly AgentSession[]): void {
    for (const session of sessions) this.#due.add(session);
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => void this.#deliver());
  }

  async #deliver(): Promise<void> {
    while (this.#due.size > 0) {
      const sessions = [...this.#due].slice(0, AT_ONCE);
      for (const session of sessions) this.#due.delete(session);
      try {
        const rows = await this.#assignments.unanswered(sessions.map(({ peer }) => peer.clusterId));
        for (const session of sessions)
          session.offered((rows.get(session.peer.clusterId) ?? []).map(desiredAssignment));
      } catch (error) {
        this.#logger.warn({ err: error, sessions: sessions.length }, 'assignments could not be read');
        for (const session of sessions) session.assignmentsChanged();
      }
    }
    this.#running = false;
  }
}
