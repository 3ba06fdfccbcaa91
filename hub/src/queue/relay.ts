import type { Queue } from 'bullmq';
import type { Notifications } from '../store/notifications.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type JobHandler, QUEUES, type QueueName } from './jobs.ts';
import { OUTBOX_CHANNEL, type OutboxRepository } from './outbox.repository.ts';

const SWEEP_MS = 10_000;
/** A row that was handed over this long ago has its job in the queue, or had. */
const SETTLED_SECONDS = 5;
const REGISTER_MS = 60_000;
const ANSWER_MS = 5000;

/** What BullMQ carries: ids only, the truth is in the outbox. */
export interface JobData {
  key: string;
  scheduled?: boolean;
}

export const JOB_OPTIONS = {
  attempts: 4,
  // 0.5, 1 and 2 s; what still fails then waits in the outbox, where asking again ends the wait.
  backoff: { type: 'exponential', delay: 500 },
  removeOnComplete: true,
  removeOnFail: true,
} as const;

export type Queues = Record<QueueName, Queue>;

/**
 * Hands outbox rows over to BullMQ: at once when told so, each 10 s what was missed, and on time what waits. Losing
 * the queue's whole content costs one sweep.
 */
export class Relay {
  readonly #queues: Queues;
  readonly #repository: OutboxRepository;
  readonly #log: Logger;
  #running: Promise<void> | undefined;
  #again = false;
  #sweptAt = 0;
  #scheduled: JobHandler[] = [];
  #stopped = false;
  #sweep: NodeJS.Timeout | undefined;
  #register: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;
  /** Whether the queue answered last. */
  healthy = false;

  constructor(queues: Queues, repository: OutboxRepository, log: Logger) {
    this.#queues = queues;
    this.#repository = repository;
    this.#log = log;
  }

  async start(notifications: Notifications, scheduled: JobHandler[]): Promise<void> {
    this.#unsubscribe = await notifications.subscribe(
      OUTBOX_CHANNEL,
      () => this.wake(),
      () => this.wake(),
    );
    this.#scheduled = scheduled;
    this.#register = setInterval(() => void this.#schedule(scheduled), REGISTER_MS);
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#sweep);
    clearInterval(this.#register);
    this.#unsubscribe?.();
    await this.#running;
  }

  /** Looks for due rows now; calls while it looks are folded into one more look. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#sweep);
    this.#running = this.#pump().finally(() => {
      this.#running = undefined;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  async #pump(): Promise<void> {
    let next = SWEEP_MS;
    try {
      if (Date.now() - this.#sweptAt >= SWEEP_MS) await this.#findLost();
      let handed: number;
      do {
        handed = await this.#handOver();
      } while (handed > 0 && !this.#stopped);
      const due = await this.#repository.nextDueMs();
      if (due !== undefined) next = Math.min(next, Math.max(due, 20));
      if (!this.healthy) void this.#schedule(this.#scheduled);
      this.healthy = true;
    } catch (error) {
      this.healthy = false;
      this.#log.warn({ err: error }, 'cannot hand work over to the queue');
      next = 1000;
    }
    if (!this.#stopped) this.#sweep = setTimeout(() => this.wake(), next);
  }

  /**
   * Rows that were handed to a queue that holds no job are lost (a flushed Redis): they are handed over again now, not
   * in half a minute. Asking each queue also tells whether it is there.
   */
  async #findLost(): Promise<void> {
    const handed = await this.#repository.handedQueues(SETTLED_SECONDS);
    for (const name of QUEUES) {
      const counts = await soon(
        this.#queues[name].getJobCounts('active', 'waiting', 'delayed', 'prioritized'),
      );
      const jobs = Object.values(counts).reduce((sum, count) => sum + count, 0);
      if (jobs === 0 && handed.includes(name)) {
        this.#log.warn({ queue: name }, 'the queue lost its jobs; handing them over again');
        await this.#repository.unclaimQueue(name, SETTLED_SECONDS);
      }
    }
    this.#sweptAt = Date.now();
  }

  async #handOver(): Promise<number> {
    const rows = await this.#repository.claim();
    const byQueue = Map.groupBy(rows, ({ queue }) => queue);
    const failures: unknown[] = [];
    for (const [name, group] of byQueue) {
      const queue = this.#queues[name];
      try {
        await soon(queue.addBulk(group.map(({ key }) => jobOf(key))));
      } catch (error) {
        failures.push(error);
        await this.#repository.unclaim(group);
      }
    }
    if (failures.length > 0) throw failures[0];
    return rows.length;
  }

  /** Puts back schedulers that the queue lost. One that is there is left alone, so that its clock runs on. */
  async #schedule(handlers: JobHandler[]): Promise<void> {
    try {
      for (const name of QUEUES) {
        const wanted = handlers.filter(({ queue }) => queue === name);
        if (wanted.length === 0) continue;
        const queue = this.#queues[name];
        const present = new Map(
          (await soon(queue.getJobSchedulers())).map((one) => [one.key, Number(one.every)]),
        );
        for (const { prefix, everySeconds } of wanted) {
          const every = everySeconds! * 1000;
          if (present.get(prefix) === every) continue;
          await queue.upsertJobScheduler(
            prefix,
            { every },
            { name: prefix, data: { key: prefix, scheduled: true }, opts: JOB_OPTIONS },
          );
        }
        for (const key of present.keys()) {
          if (!wanted.some(({ prefix }) => prefix === key)) await queue.removeJobScheduler(key);
        }
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'cannot register schedulers');
    }
  }
}

function jobOf(key: string) {
  return {
    name: key.split(':', 1)[0]!,
    data: { key } satisfies JobData,
    // The work queue: folded into the waiting job, or run once more after the active one.
    opts: { ...JOB_OPTIONS, deduplication: { id: key, keepLastIfActive: true } },
  };
}

/** An answer of the queue, or an error: its client would wait for as long as the queue is away. */
export function soon<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the queue does not answer')), ANSWER_MS);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
