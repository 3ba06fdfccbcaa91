import { MusterError } from '@muster/base';
import type { JqPaths } from '../ignore.ts';
import { BoundedWorker, type BoundedWorkerOptions, workerBeside } from '../worker/bounded-worker.ts';
import type { JqAnswer, JqJob } from './protocol.ts';

/** jq itself (its WebAssembly build) in a worker of its own while it is needed: it costs some 40 MB. */
export class Jq implements JqPaths {
  readonly #worker: BoundedWorker<JqJob, JqAnswer>;

  constructor(options: BoundedWorkerOptions = {}) {
    this.#worker = new BoundedWorker(workerBeside(import.meta.url, 'jq-worker'), options);
  }

  async paths(expression: string, object: unknown, signal?: AbortSignal): Promise<(string | number)[][]> {
    const job = { expression, text: JSON.stringify(object) };
    const { paths, error } = await this.#worker.run(job, signal);
    // A memory that was full stays as large.
    if (error?.includes('memory')) {
      await this.close();
      throw new MusterError('limit', 'takes too much memory');
    }
    if (error !== undefined) throw new MusterError('invalid', error);
    return paths ?? [];
  }

  /** Ends the worker; a later program would start another. */
  close(): Promise<void> {
    return this.#worker.close();
  }
}
