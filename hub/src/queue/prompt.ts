import { trace } from '@opentelemetry/api';
import { Inject, Injectable } from '@nestjs/common';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { QueueName } from './jobs.ts';
import { OutboxRepository } from './outbox.repository.ts';
import { JobRegistry } from './registry.ts';

/** Keys that are worked on at once, of all queues. */
const AT_ONCE = 8;

const tracer = trace.getTracer('muster-hub');

/**
 * The short way from what happened to what follows: work that this process asked for is done here, right after the
 * transaction that asked (with `promptly`), without a turn through the queue. The row of the outbox is the promise that it
 * is done: what fails here, or dies with the process, is handed to the queue.
 */
@Injectable()
export class Prompt {
  readonly #log: Logger;
  /** Keys by queue that wait for a turn, in the order in which they were asked for. */
  readonly #waiting = new Map<string, { queue: QueueName; key: string }>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(
    @Inject(OutboxRepository) private readonly repository: OutboxRepository,
    @Inject(JobRegistry) private readonly registry: JobRegistry,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#log = logger.child({ part: 'queue' });
  }

  /** Asked again while it waits it is done once; asked again while it runs, once more after that. */
  run(queue: QueueName, keys: readonly string[]): void {
    for (const key of keys) this.#waiting.set(`${queue} ${key}`, { queue, key });
    this.#next();
  }

  /** Begins nothing more, waits for what runs, and leaves the rest to the queue. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running.values());
    const left = Map.groupBy(this.#waiting.values(), ({ queue }) => queue);
    for (const [queue, of] of left)
      await this.#giveBack(
        queue,
        of.map(({ key }) => key),
      );
  }

  #next(): void {
    for (const [name, { queue, key }] of this.#waiting) {
      if (this.#running.size >= AT_ONCE || this.#stop.signal.aborted) return;
      if (this.#running.has(name)) continue;
      this.#waiting.delete(name);
      const work = this.#one(queue, key).finally(() => {
        this.#running.delete(name);
        this.#next();
      });
      this.#running.set(name, work);
    }
  }

  async #one(queue: QueueName, key: string): Promise<void> {
    const started = performance.now();
    try {
      const row = await this.repository.find(queue, key);
      const handler = this.registry.find(queue, key);
      if (!row || !handler) return; // somebody was faster
      const outcome = await tracer.startActiveSpan(`prompt ${queue}`, { attributes: { key } }, (span) =>
        handler
          .handle(key, {
            signal: this.#stop.signal,
            payload: row.payload,
            requested: row.requested,
            complete: (trx) => this.repository.complete(trx, queue, key, row.requested),
          })
          .finally(() => span.end()),
      );
      if (outcome.kind !== 'done') return await this.#giveBack(queue, [key]);
      await this.repository.completeAny(queue, key, row.requested);
      this.metrics.job(queue, 'done', performance.now() - started);
    } catch (error) {
      this.#log.warn({ err: error, queue, key }, 'left to the queue');
      await this.#giveBack(queue, [key]);
    }
  }

  async #giveBack(queue: QueueName, keys: readonly string[]): Promise<void> {
    await this.repository
      .giveBack(queue, keys)
      .catch((error: unknown) =>
        this.#log.warn({ err: error, queue }, 'the queue hears of it when it looks for what was lost'),
      );
  }
}
