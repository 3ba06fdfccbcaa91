import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MusterError } from '@muster/base';

export interface BoundedWorkerOptions {
  /** A job that takes longer is ended, in milliseconds; default 1000, as in the reference. */
  timeoutMs?: number;
  /** Milliseconds without a job until the worker ends; default 60,000. */
  idleMs?: number;
  /** JavaScript heap of the worker, MiB; default 64. */
  heapMb?: number;
}

const STARTING_MS = 10_000;

/**
 * Runs what users wrote in one worker, started by the first job and ended when nobody asks. Jobs queue up; one that
 * takes too long or too much memory fails alone, with MusterError `limit`.
 */
export class BoundedWorker<Job, Answer> {
  readonly #url: URL;
  readonly #options: Required<BoundedWorkerOptions>;
  #worker: Worker | undefined;
  #warm = false;
  #idle: NodeJS.Timeout | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param url of the worker's file, which answers each message with one message. */
  constructor(url: URL, options: BoundedWorkerOptions = {}) {
    this.#url = url;
    this.#options = { timeoutMs: 1000, idleMs: 60_000, heapMb: 64, ...options };
  }

  run(job: Job, signal?: AbortSignal): Promise<Answer> {
    const turn = this.#queue.then(() => this.#run(job, signal));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Ends the worker; a later job would start another. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    this.#warm = false;
    await worker?.terminate();
  }

  async #run(job: Job, signal: AbortSignal | undefined): Promise<Answer> {
    signal?.throwIfAborted();
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    const { timeoutMs, idleMs } = this.#options;
    // The first job pays for the start.
    const late = setTimeout(() => void this.close(), this.#warm ? timeoutMs : timeoutMs + STARTING_MS);
    try {
      const answer = await answerOf<Answer>(worker, job);
      this.#warm = true;
      return answer;
    } catch (thrown) {
      if (this.#worker === worker) await this.close();
      throw thrown;
    } finally {
      clearTimeout(late);
      this.#idle = setTimeout(() => void this.close(), idleMs).unref();
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#url, {
      resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMb },
    });
    worker.unref();
    // Between jobs nobody else listens, and an error without a listener would end the process.
    worker.on('error', () => undefined);
    return worker;
  }
}

function answerOf<Answer>(worker: Worker, job: unknown): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const ended = () => reject(new MusterError('limit', 'takes too long or too much memory'));
  const failed = (thrown: unknown) =>
    reject(
      (thrown as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? new MusterError('limit', 'takes too much memory', { cause: thrown })
        : new MusterError('internal', 'could not be run', { cause: thrown }),
    );
  worker.on('message', resolve).on('exit', ended).on('error', failed);
  // Alive only while somebody waits.
  worker.ref();
  worker.postMessage(job);
  return promise.finally(() => {
    worker.off('message', resolve).off('exit', ended).off('error', failed);
    worker.unref();
  });
}

/** A worker's file beside another module: `.ts` in the sources, `.mjs` in a bundle. */
export function workerBeside(module: string, name: string): URL {
  const source = new URL(`${name}.ts`, module);
  return existsSync(fileURLToPath(source)) ? source : new URL(`${name}.mjs`, module);
}
