import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ASKS_CHANNEL, ASKS_OVER_CHANNEL, AsksService } from '../asks/asks.service.ts';
import { CLUSTERS_CHANNEL } from '../clusters/clusters.service.ts';
import { SESSIONS_CHANNEL } from '../clusters/sessions-registry.ts';
import { COMMANDS_CHANNEL, CommandsService } from '../commands/commands.service.ts';
import { Keys } from '../keys/keys.ts';
import { KEYS_CHANNEL } from '../keys/rotation.service.ts';
import { RECOVERY_CHANNEL } from '../recovery/recovery.service.ts';
import { Notifications } from '../store/notifications.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import type { AgentSession } from './agent-session.ts';
import { SessionReview } from './session-review.ts';
import { Sessions } from './sessions.ts';

const EXPIRY_CHECK_MS = 60_000;

type Act = (sessions: AgentSession[]) => Promise<void> | void;

/** What happens anywhere in the hub and concerns open sessions here. A lost notification is made good by looking at all. */
@Injectable()
export class SessionFeed implements OnModuleInit, OnModuleDestroy {
  readonly #sessions: Sessions;
  readonly #review: SessionReview;
  readonly #commands: CommandsService;
  readonly #asks: AsksService;
  readonly #keys: Keys;
  readonly #notifications: Notifications;
  readonly #logger: Logger;
  readonly #stops: (() => void)[] = [];
  #expiry: NodeJS.Timeout | undefined;

  constructor(
    @Inject(Sessions) sessions: Sessions,
    @Inject(SessionReview) review: SessionReview,
    @Inject(CommandsService) commands: CommandsService,
    @Inject(AsksService) asks: AsksService,
    @Inject(Keys) keys: Keys,
    @Inject(Notifications) notifications: Notifications,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#sessions = sessions;
    this.#review = review;
    this.#commands = commands;
    this.#asks = asks;
    this.#keys = keys;
    this.#notifications = notifications;
    this.#logger = logger.child({ part: 'agents' });
  }

  async onModuleInit(): Promise<void> {
    const some = (ids: string[]) =>
      ids.map((id) => this.#sessions.of(id)).filter((session) => session !== undefined);
    const everyone = () => this.#sessions.all;
    await this.#listen(
      COMMANDS_CHANNEL,
      (id) => some([id]),
      (sessions) => {
        for (const session of sessions) {
          session.commandsChanged(() =>
            this.#commands.toDeliver(session.peer.clusterId, 'later', session.agent),
          );
        }
      },
    );
    await this.#listen(
      ASKS_CHANNEL,
      (id) => some([id]),
      (sessions) => {
        for (const session of sessions) session.asked(() => this.#asks.toDeliver(session.peer.clusterId));
      },
    );
    const over = await this.#notifications.subscribe(ASKS_OVER_CHANNEL, (payload) => {
      const [clusterId = '', askId = ''] = payload.split(' ');
      this.#sessions.of(clusterId)?.dispatch({ kind: 'ask-cancel', id: askId });
    });
    this.#stops.push(over);
    await this.#listen(
      CLUSTERS_CHANNEL,
      (id) => some([id]),
      (sessions) => this.#review.reconsider(sessions),
    );
    await this.#listen(RECOVERY_CHANNEL, everyone, (sessions) => this.#review.reconsider(sessions));
    await this.#listen(
      SESSIONS_CHANNEL,
      (payload) => {
        const [clusterId, newest] = payload.split(' ') as [string, string];
        // Two notifications may cross, so only the row decides; one's own news needs no look at it.
        return some([clusterId]).filter((session) => session.id !== newest);
      },
      (sessions) => this.#sessions.fence(sessions),
    );
    await this.#listen(KEYS_CHANNEL, everyone, async () => {
      await this.#keys.reload();
      const signed = this.#keys.keySet();
      for (const session of everyone()) session.dispatch({ kind: 'key-set', signed });
    });
    this.#expiry = setInterval(
      () => this.#guard('expiry', () => this.#review.endExpired(everyone())),
      EXPIRY_CHECK_MS,
    );
    this.#expiry.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#expiry);
    for (const stop of this.#stops) stop();
  }

  async #listen(channel: string, concerned: (payload: string) => AgentSession[], act: Act): Promise<void> {
    const stop = await this.#notifications.subscribe(
      channel,
      (payload) => this.#guard(channel, () => act(concerned(payload))),
      () => this.#guard(channel, () => act(this.#sessions.all)),
    );
    this.#stops.push(stop);
  }

  #guard(what: string, work: () => Promise<void> | void): void {
    Promise.resolve()
      .then(work)
      .catch((error: unknown) =>
        this.#logger.warn({ err: error, what }, 'sessions could not be brought up to date'),
      );
  }
}
