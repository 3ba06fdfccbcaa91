import { MusterError } from '@muster/base';
import type { KubeClient } from './kube/client.ts';
import { holdLease } from './kube/lease.ts';
import type { Log } from './log.ts';

export interface LeadershipOptions {
  client: KubeClient;
  namespace: string;
  identity: string;
  log: Log;
  signal: AbortSignal;
}

/**
 * Says when this process may act: while it holds the Lease. Once another process has acted, what this one read from
 * the store is stale, so it may not act again: `replaced` is aborted then, and the process has to start anew.
 */
export class Leadership {
  /** Settles when the Lease has been given back. */
  readonly ended: Promise<void>;
  private readonly lost = new AbortController();
  private readonly first = Promise.withResolvers<void>();
  private listener: (held: boolean) => void = () => undefined;
  private acquired = false;
  private holding = false;

  constructor({ client, namespace, identity, log, signal }: LeadershipOptions) {
    this.ended = holdLease({
      client,
      namespace,
      name: 'muster-agent',
      identity,
      signal,
      changed: (held, holder, anew) => {
        log.info({ held, holder }, held ? 'this agent acts in the cluster' : describe(holder));
        this.change(held, holder, anew);
      },
      failed: (error) => log.warn({ error: error.message }, 'the Lease cannot be renewed'),
    });
  }

  get held(): boolean {
    return this.holding;
  }

  get replaced(): AbortSignal {
    return this.lost.signal;
  }

  /** Waits until this process holds the Lease for the first time. */
  async acquire(signal: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([this.first.promise, stopped.promise]);
  }

  /** Told from now on, and at once, whether this process may act. */
  follow(listener: (held: boolean) => void): void {
    this.listener = listener;
    listener(this.holding);
  }

  private change(held: boolean, holder: string, anew: boolean): void {
    this.holding = held;
    if (this.acquired && ((!held && holder !== '') || (held && anew))) {
      this.holding = false;
      this.lost.abort(new MusterError('conflict', `another agent has acted in this cluster (${holder})`));
    }
    if (held) {
      this.acquired = true;
      this.first.resolve();
    }
    this.listener(this.holding);
  }
}

function describe(holder: string): string {
  return holder ? 'another agent holds the Lease' : 'this agent stops acting: the Lease could not be renewed';
}
