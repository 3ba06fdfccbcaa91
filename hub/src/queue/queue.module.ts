import { BullModule, getQueueToken } from '@nestjs/bullmq';
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Global,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Queue } from 'bullmq';
import { Readiness } from '../api/readiness.ts';
import { CONFIG, type Config } from '../config.ts';
import { DATABASE, DATABASE_URL, type Db } from '../store/database.ts';
import { Notifications } from '../store/notifications.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { type Backend, openBackend } from './backend.ts';
import { JOBS, QUEUES } from './jobs.ts';
import { Outbox } from './outbox.ts';
import { OutboxRepository } from './outbox.repository.ts';
import { Prompt } from './prompt.ts';
import { JobRegistry } from './registry.ts';
import { type Queues, Relay, soon } from './relay.ts';
import { Workers } from './workers.ts';

const BACKEND = Symbol('queue backend');
const KNOWN_JOBS = Symbol('known jobs');

/** Starts relay and workers once everything is wired, and stops them before anything they use. */
@Injectable()
export class QueueRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #workers: Workers;
  #relay: Relay | undefined;
  #stopping = false;

  constructor(
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(JobRegistry) private readonly registry: JobRegistry,
    @Inject(OutboxRepository) private readonly repository: OutboxRepository,
    @Inject(Metrics) metrics: Metrics,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    readiness.expect('queue');
    this.#workers = new Workers(registry, repository, metrics, logger.child({ part: 'queue' }));
    metrics.queueDepths(() => repository.depths());
  }

  async onApplicationBootstrap(): Promise<void> {
    const get = <T>(token: symbol | string | (new (...args: never[]) => T)) =>
      this.modules.get<T>(token as never, { strict: false });
    this.registry.verify(get<typeof JOBS>(KNOWN_JOBS));
    const queues = Object.fromEntries(
      QUEUES.map((name) => [name, get<Queue>(getQueueToken(name))]),
    ) as Queues;
    const log = this.logger.child({ part: 'queue' });
    for (const queue of Object.values(queues)) {
      queue.on('error', (error: Error) => {
        // While stopping, connections end on either side first.
        log[this.#stopping ? 'debug' : 'warn']({ err: error, queue: queue.name }, 'queue');
      });
    }
    if (this.config.local) await this.#startAfresh(queues);
    const relay = new Relay(queues, this.repository, log);
    this.#relay = relay;
    this.#workers.onPostponed = () => relay.wake();
    this.#workers.start(get<Backend>(BACKEND));
    await relay.start(get<Notifications>(Notifications), this.registry.scheduled());
    this.readiness.set('queue', true);
  }

  /**
   * The only replica: whatever the queue holds is of a hub that is gone, perhaps killed in mid-job. Its work is in the
   * outbox, so emptying the queue loses nothing and waits for no lock to expire.
   */
  async #startAfresh(queues: Queues): Promise<void> {
    try {
      for (const name of QUEUES) {
        await soon(queues[name].obliterate({ force: true }));
        await this.repository.unclaimQueue(name, 0);
      }
    } catch (error) {
      this.logger.warn(
        { err: error },
        'cannot empty the queue; what a killed hub did waits until its locks expire',
      );
    }
  }

  /** Whether the queue takes work. */
  get healthy(): boolean {
    return this.#relay?.healthy ?? false;
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping = true;
    await this.modules.get(Prompt, { strict: false }).stop();
    await this.#relay?.stop();
    await this.#workers.stop();
    // Before the queues close, which would wait for one that is away.
    await this.modules.get<Backend>(BACKEND, { strict: false }).close();
  }
}

@Global()
@Module({
  providers: [
    {
      provide: BACKEND,
      inject: [DATABASE_URL, CONFIG, LOGGER],
      useFactory: (url: string, config: Config, logger: Logger) =>
        openBackend(url, config.redisUrl, (error) => logger.warn({ err: error }, 'redis')),
    },
  ],
  exports: [BACKEND],
})
class BackendModule {}

/** Outbox, relay and workers. `jobs` is the list that handlers are checked against. */
@Module({})
export class QueueModule {
  static forRoot(jobs = JOBS): DynamicModule {
    return {
      module: QueueModule,
      global: true,
      imports: [BackendModule, ...QUEUES.map(registerQueue)],
      providers: [
        Outbox,
        JobRegistry,
        Prompt,
        { provide: OutboxRepository, inject: [DATABASE], useFactory: (db: Db) => new OutboxRepository(db) },
        { provide: KNOWN_JOBS, useValue: jobs },
        QueueRunner,
      ],
      exports: [Outbox, JobRegistry, Prompt, QueueRunner],
    };
  }
}

function registerQueue(name: string): DynamicModule {
  return BullModule.registerQueueAsync({
    name,
    inject: [BACKEND],
    useFactory: (backend: Backend) => ({ connection: backend.producer as never, prefix: backend.prefix }),
  });
}
