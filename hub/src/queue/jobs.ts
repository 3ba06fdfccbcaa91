import type { Outcome } from '@muster/base';
import type { InjectionToken, Provider } from '@nestjs/common';
import type { Trx } from '../store/schema.ts';
import { JobRegistry } from './registry.ts';

export const QUEUES = ['sources', 'expand', 'render', 'assign', 'rollout', 'gates', 'maintenance'] as const;
export type QueueName = (typeof QUEUES)[number];

/** What a handler may use while it runs. */
export interface JobContext {
  /** Aborted when the hub shuts down. */
  signal: AbortSignal;
  /** What `Outbox.add` was given last, `{}` if nothing. */
  payload: Record<string, unknown>;
  /** Number of the ask that it answers, as `Outbox.add` told it; undefined for scheduled work. */
  requested?: bigint | undefined;
  /**
   * To be called inside the transaction that commits the job's effect: deletes the job's outbox row, unless it was
   * asked for again meanwhile. Without it the row is deleted after the handler says done.
   */
  complete(trx: Trx): Promise<void>;
}

/**
 * Does one kind of work. `key` is the outbox key, `<prefix>:<id>`, or the bare prefix for maintenance. Called again
 * after any crash, so it compares row versions first and writes nothing when repeated. Throwing is a transient failure.
 */
export interface JobHandler {
  queue: QueueName;
  prefix: string;
  /** Maintenance only: run each so many seconds on one replica. */
  everySeconds?: number;
  handle(key: string, context: JobContext): Promise<Outcome>;
}

/**
 * Every kind of work there is: the app refuses to start when one has no handler or two. Add a line here together
 * with the handler.
 */
export const JOBS: readonly { queue: QueueName; prefix: string }[] = [
  { queue: 'sources', prefix: 'repository' },
  { queue: 'sources', prefix: 'promotion' },
  { queue: 'expand', prefix: 'set' },
  { queue: 'expand', prefix: 'root' },
  { queue: 'render', prefix: 'set' },
  { queue: 'render', prefix: 'application' },
  { queue: 'assign', prefix: 'set' },
  { queue: 'assign', prefix: 'application' },
  { queue: 'assign', prefix: 'waits' },
  { queue: 'rollout', prefix: 'dependents' },
  { queue: 'rollout', prefix: 'rollout' },
  { queue: 'rollout', prefix: 'set' },
  { queue: 'rollout', prefix: 'application' },
  { queue: 'gates', prefix: 'gate' },
  { queue: 'maintenance', prefix: 'poll' },
  { queue: 'maintenance', prefix: 'leaving' },
  { queue: 'maintenance', prefix: 'sweep-bundles' },
  { queue: 'maintenance', prefix: 'tombstones' },
  { queue: 'maintenance', prefix: 'sessions' },
  { queue: 'maintenance', prefix: 'clusters' },
  { queue: 'maintenance', prefix: 'commands' },
  { queue: 'maintenance', prefix: 'asks' },
  { queue: 'maintenance', prefix: 'roots' },
  { queue: 'maintenance', prefix: 'rollouts' },
  { queue: 'maintenance', prefix: 'gates' },
  { queue: 'maintenance', prefix: 'promotions' },
  { queue: 'maintenance', prefix: 'pins' },
];

/**
 * A provider that registers a module's handlers: `providers: [jobHandlers([SourcesService], handlers)]`, where
 * `handlers(sources: SourcesService): JobHandler[]` lives in `sources.worker.ts`.
 */
export function jobHandlers<Services extends unknown[]>(
  inject: InjectionToken[],
  build: (...services: Services) => JobHandler[],
): Provider {
  return {
    provide: Symbol('job handlers'),
    inject: [JobRegistry, ...inject],
    useFactory: (registry: JobRegistry, ...services: unknown[]) =>
      registry.add(build(...(services as Services))),
  };
}
