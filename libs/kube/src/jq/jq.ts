import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MusterError } from '@muster/base';
import type { JqPaths } from '../ignore.ts';
import type { JqAnswer, JqJob } from './protocol.ts';

export interface JqOptions {
  /** A program that takes longer is ended; default 1000, as in the reference. */
  timeoutMs?: number;
  /** Milliseconds without a program until the worker ends; default 60,000. */
  idleMs?: number;
  /** The worker's file; by default jq-worker beside this one, .ts in the sources and .mjs in a bundle. */
  workerUrl?: URL;
}

const STARTING_MS = 10_000;

/**
 * jq itself (its WebAssembly build) in one worker, started by the first program and ended when nobody asks: it costs
 * some 40 MB. Programs queue up; one that takes too long or too much memory fails alone.
 */
export class Jq implements JqPaths {
  readonly #options: Required<JqOptions>;
  #worker: Worker | undefined;
  #warm = false;
  #idle: NodeJS.Timeout | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: JqOptions = {}) {
    this.#options = { timeoutMs: 1000, idleMs: 60_000, workerUrl: workerBeside(), ...options };
  }

  paths(expression: string, object: unknown, signal?: AbortSignal): Promise<(string | number)[][]> {
    const turn = this.#queue.then(() => this.#run({ expression, text: JSON.stringify(object) }, signal));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Ends the worker; a later program would start another. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    this.#warm = false;
    await worker?.terminate();
  }

  async #run(job: JqJob, signal: AbortSignal | undefined): Promise<(string | number)[][]> {
    signal?.throwIfAborted();
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    const { timeoutMs, idleMs } = this.#options;
    // The first program pays for the start.
    const late = setTimeout(() => void this.close(), this.#warm ? timeoutMs : timeoutMs + STARTING_MS);
    try {
      const { paths, error } = await answerOf(worker, job);
      this.#warm = true;
      // A memory that was full stays as large.
      if (error?.includes('memory')) await this.close();
      if (error !== undefined) throw new MusterError('invalid', error);
      return paths ?? [];
    } finally {
      clearTimeout(late);
      this.#idle = setTimeout(() => void this.close(), idleMs).unref();
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#options.workerUrl, { resourceLimits: { maxOldGenerationSizeMb: 64 } });
    worker.unref();
    return worker;
  }
}

function answerOf(worker: Worker, job: JqJob): Promise<JqAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<JqAnswer>();
  const ended = () => reject(new MusterError('limit', 'the program takes too long or too much memory'));
  const failed = (thrown: unknown) =>
    reject(new MusterError('internal', 'the program could not be run', { cause: thrown }));
  worker.on('message', resolve).on('exit', ended).on('error', failed);
  // Alive only while somebody waits.
  worker.ref();
  worker.postMessage(job);
  return promise.finally(() => {
    worker.off('message', resolve).off('exit', ended).off('error', failed);
    worker.unref();
  });
}

function workerBeside(): URL {
  const source = new URL('jq-worker.ts', import.meta.url);
  return existsSync(fileURLToPath(source)) ? source : new URL('jq-worker.mjs', import.meta.url);
}
