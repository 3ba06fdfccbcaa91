import { MusterError } from '@muster/base';
import type { JobHandler, QueueName } from './jobs.ts';

/** The handlers of all modules, collected while the app is wired. */
export class JobRegistry {
  readonly #handlers = new Map<string, JobHandler>();
  readonly #twice = new Set<string>();

  add(handlers: JobHandler[]): JobHandler[] {
    for (const handler of handlers) {
      const name = `${handler.queue}/${handler.prefix}`;
      if (this.#handlers.has(name)) this.#twice.add(name);
      this.#handlers.set(name, handler);
    }
    return handlers;
  }

  /** The handler of a key such as `set:0198…` or `poll`. */
  find(queue: QueueName, key: string): JobHandler | undefined {
    const colon = key.indexOf(':');
    return this.#handlers.get(`${queue}/${colon < 0 ? key : key.slice(0, colon)}`);
  }

  scheduled(): JobHandler[] {
    return [...this.#handlers.values()].filter(({ everySeconds }) => everySeconds !== undefined);
  }

  /** Throws MusterError `internal` when a known job has no handler or two, or a handler has no known job. */
  verify(jobs: readonly { queue: QueueName; prefix: string }[]): void {
    const known = new Set(jobs.map(({ queue, prefix }) => `${queue}/${prefix}`));
    const problems = [
      ...[...known].filter((name) => !this.#handlers.has(name)).map((name) => `${name} has no handler`),
      ...[...this.#twice].map((name) => `${name} has two handlers`),
      ...[...this.#handlers.keys()].filter((name) => !known.has(name)).map((name) => `${name} is not listed`),
    ];
    if (problems.length > 0)
      throw new MusterError('internal', `jobs: ${problems.join('; ')}`, { where: 'queue/jobs.ts' });
  }
}
