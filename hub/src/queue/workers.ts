import type { Outcome } from '@muster/base';
import { trace } from '@opentelemetry/api';
import { type Job, Worker } from 'bullmq';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Backend } from './backend.ts';
import { type JobContext, QUEUES, type QueueName } from './jobs.ts';
import type { OutboxRepository, OutboxRow } from './outbox.repository.ts';
import type { JobRegistry } from './registry.ts';
import type { JobData } from './relay.ts';

const CONCURRENCY: Record<QueueName, number> = {
  sources: 4,
  expand: 4,
  render: 4,
  assign: 4,
  rollout: 4,
  // Mostly waiting for answers of others.
  gates: 16,
  maintenance: 4,
};
/** A job of a replica that died is taken over after this long. */
const LOCK_MS = 15_000;
const STALLED_MS = 5000;
const LONGEST_ROUND_MS = 10 * 60_000;
const WAIT_WITHOUT_TIME_MS = 5 * 60_000;

/** Spans go nowhere unless traces are exported. */
const tracer = trace.getTracer('muster-hub');

/** Thrown to make BullMQ try again. */
class Again extends Error {}

/** Runs handlers: one BullMQ worker a queue. */
export class Workers {
  readonly #registry: JobRegistry;
  readonly #repository: OutboxRepository;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  /** Called when a row waits for a time that the relay does not know yet. */
  onPostponed: () => void = () => undefined;
  #workers: Worker[] = [];

  constructor(registry: JobRegistry, repository: OutboxRepository, metrics: Metrics, log: Logger) {
    this.#registry = registry;
    this.#repository = repository;
    this.#metrics = metrics;
    this.#log = log;
  }

  /** Workers connect in their own time: a hub serves while its queue is away. */
  start(backend: Backend): void {
    this.#workers = QUEUES.map((queue) => {
      const worker = new Worker<JobData>(queue, (job) => this.#run(queue, job), {
        connection: backend.consumer,
        prefix: backend.prefix,
        concurrency: CONCURRENCY[queue],
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_MS,
        maxStalledCount: 1_000_000, // the outbox decides when to give up, not a count of crashes
      });
      worker.on('error', (error) => this.#log.warn({ err: error, queue }, 'queue worker'));
      return worker;
    });
  }

  /** Aborts what runs and waits for it, at most `deadlineMs`. */
  async stop(deadlineMs = 6000): Promise<void> {
    this.#stop.abort();
    await Promise.all(
      this.#workers.map(async (worker) => {
        const timer = setTimeout(() => void worker.close(true), deadlineMs);
        await worker
          .close()
          .catch((error: Error) => this.#log.warn({ err: error }, 'queue worker did not close'));
        clearTimeout(timer);
      }),
    );
  }

  async #run(queue: QueueName, job: Job<JobData>): Promise<void> {
    const { key, scheduled } = job.data;
    const row = await this.#repository.find(queue, key);
    if (!row && !scheduled) return; // done already, or postponed
    const started = performance.now();
    const outcome = await tracer.startActiveSpan(`job ${queue}`, { attributes: { key } }, async (span) => {
      const result = await this.#handle(queue, key, row);
      span.setAttribute('outcome', result.kind).end();
      return result;
    });
    const last = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    this.#metrics.job(
      queue,
      outcome.kind === 'failed' ? outcome.mode : outcome.kind,
      performance.now() - started,
    );
    await this.#finish(queue, key, row, outcome, last);
  }

  async #handle(queue: QueueName, key: string, row: OutboxRow | undefined): Promise<Outcome> {
    const handler = this.#registry.find(queue, key);
    if (!handler) return { kind: 'failed', mode: 'terminal', reason: 'no handler for this key' };
    const context: JobContext = {
      signal: this.#stop.signal,
      payload: row?.payload ?? {},
      requested: row?.requested,
      complete: async (trx) => {
        if (row) await this.#repository.complete(trx, queue, key, row.requested);
      },
    };
    try {
      return await handler.handle(key, context);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'failed', mode: 'transient', reason, cause: error };
    }
  }

  async #finish(
    queue: QueueName,
    key: string,
    row: OutboxRow | undefined,
    outcome: Outcome,
    last: boolean,
  ): Promise<void> {
    if (this.#stop.signal.aborted && outcome.kind === 'failed') {
      if (row) await this.#repository.postpone(queue, key, row.requested, new Date(), row.attempts);
      throw new Again('the hub is shutting down');
    }
    switch (outcome.kind) {
      case 'done':
        if (row) await this.#repository.completeAny(queue, key, row.requested);
        return;
      case 'waiting': {
        const until = outcome.until ?? new Date(Date.now() + WAIT_WITHOUT_TIME_MS);
        if (row) await this.#postpone(queue, key, row, until, 0);
        this.#log.debug({ queue, key, reason: outcome.reason, until }, 'job waits');
        return;
      }
      case 'failed':
        this.#log.warn(
          { queue, key, mode: outcome.mode, reason: outcome.reason, err: outcome.cause },
          'job failed',
        );
        if (outcome.mode === 'terminal') {
          if (row) await this.#repository.completeAny(queue, key, row.requested);
          return;
        }
        if (last && row) {
          const pause = Math.min(LONGEST_ROUND_MS, 10_000 * 2 ** row.attempts);
          await this.#postpone(queue, key, row, new Date(Date.now() + pause), row.attempts + 1);
        }
        throw new Again(outcome.reason);
    }
  }

  async #postpone(
    queue: QueueName,
    key: string,
    row: OutboxRow,
    until: Date,
    attempts: number,
  ): Promise<void> {
    await this.#repository.postpone(queue, key, row.requested, until, attempts);
    this.onPostponed();
  }
}
