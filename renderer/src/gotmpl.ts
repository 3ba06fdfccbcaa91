import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, MusterError } from '@muster/base';
import type { TemplateAnswer, TemplateJob, TemplateWorkerData } from './gotmpl-protocol.ts';
import type { CompiledRenderer } from './sandbox.ts';

export interface TemplateEngineOptions {
  /** A worker that renders no further text for so long is stopped; default 2000. */
  stallMs?: number;
  /** What the worker's instance may use at most, in MiB; default 256. */
  memoryMb?: number;
  /** A call that takes so long is stopped, even if none of its texts does; default 20,000. */
  callMs?: number;
  /** The time that templates see (`now`), Unix milliseconds; default the machine's. */
  clock?: () => number;
  /** The worker's file; by default gotmpl-worker beside this one, .ts in the sources and .mjs in a bundle. */
  workerUrl?: URL;
}

interface TextFailure {
  error: string;
  text: number;
}

interface Rows {
  rows: (string | TextFailure)[][];
  failure?: TextFailure;
}

interface RenderRequest {
  texts: string[];
  paramSets: readonly Record<string, unknown>[];
  options: string[];
  independent?: boolean;
}

const LOOK_EVERY_MS = 100;
const MEMORY_MB = 256;
const START_MS = 60_000;
/** Where one call's parameters or texts end, in characters: what is left is for the next call. */
const MAX_INPUT = 8 << 20;

/**
 * Argo CD's Go templates and Kubernetes' YAML reader over the WASI renderer: what `expand` of @muster/appset takes
 * as its engines. One worker, started at the first use and again after one had to be stopped; calls queue up.
 * A text that never ends or needs too much memory fails like any other, with its index. An answer may hold rows for
 * the first sets only, at least one: large parameters or results come in several.
 */
export class TemplateEngine {
  readonly goTemplate = {
    render: ({ paramSets, ...header }: RenderRequest, signal?: AbortSignal): Promise<Rows> =>
      this.#call(JSON.stringify({ op: 'render', ...header }), firstSets(paramSets), signal),
    slugs: async (texts: string[], signal?: AbortSignal): Promise<string[]> => {
      const { rows, failure } = await this.#call(JSON.stringify({ op: 'slugs', texts }), '', signal);
      if (failure) throw new MusterError('limit', failure.error);
      return rows.map(([slug]) => String(slug));
    },
  };
  readonly yaml = {
    toJson: async (texts: string[], signal?: AbortSignal): Promise<(string | TextFailure)[]> => {
      const out: (string | TextFailure)[] = [];
      while (out.length < texts.length) {
        const some = texts.slice(out.length, out.length + withinCall(texts, out.length));
        const { rows, failure } = await this.#call(JSON.stringify({ op: 'yaml', texts: some }), '', signal);
        for (let i = 0; i < some.length; i++) out.push(rows[i]?.[0] ?? failure!);
      }
      return out;
    },
  };
  readonly #compiled: CompiledRenderer;
  readonly #options: TemplateEngineOptions;
  #worker: Promise<TemplateWorker> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(compiled: CompiledRenderer, options: TemplateEngineOptions = {}) {
    this.#compiled = compiled;
    this.#options = options;
  }

  /** Stops the worker; a later call would start another. */
  async close(): Promise<void> {
    const worker = await this.#worker?.catch(() => undefined);
    this.#worker = undefined;
    await worker?.stop();
  }

  #call(header: string, sets: string, signal?: AbortSignal): Promise<Rows> {
    const turn = this.#queue.then(async () => {
      signal?.throwIfAborted();
      this.#worker ??= TemplateWorker.start(this.#compiled, this.#options);
      const clock = (this.#options.clock ?? Date.now)();
      try {
        const worker = await this.#worker;
        return await worker.call(header, sets, clock, signal);
      } catch (error) {
        // Whatever went wrong, a fresh instance is surer than one that trapped.
        await this.close();
        if (error instanceof TextStopped)
          return { rows: [], failure: { error: error.message, text: error.text } };
        throw error;
      }
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }
}

/** As many sets as one call takes, as a JSON array. */
function firstSets(paramSets: readonly Record<string, unknown>[]): string {
  const parts: string[] = [];
  let length = 0;
  for (const set of paramSets) {
    const part = JSON.stringify(set);
    length += part.length;
    if (parts.length > 0 && length > MAX_INPUT) break;
    parts.push(part);
  }
  return `[${parts.join(',')}]`;
}

/** How many of the texts from `start` on one call takes. */
function withinCall(texts: string[], start: number): number {
  let length = 0;
  let count = 0;
  while (start + count < texts.length) {
    length += texts[start + count]!.length;
    if (count > 0 && length > MAX_INPUT) break;
    count++;
  }
  return count;
}

/** A text that did not end or did not fit. */
class TextStopped extends Error {
  readonly text: number;
  constructor(message: string, text: number) {
    super(message);
    this.text = text;
  }
}

interface Limits {
  stallMs: number;
  callMs: number;
}

interface Running {
  resolve(text: string): void;
  reject(error: unknown): void;
}

class TemplateWorker {
  readonly #worker: Worker;
  readonly #counters: Int32Array;
  readonly #limits: Limits;
  #running: Running | undefined;
  #next = 1;

  private constructor(worker: Worker, progress: SharedArrayBuffer, limits: Limits) {
    this.#worker = worker;
    this.#counters = new Int32Array(progress);
    this.#limits = limits;
    worker.on('message', ({ text, failure }: TemplateAnswer) => {
      if (failure) this.#running?.reject(this.#explain(failure));
      else this.#running?.resolve(text ?? '');
    });
    worker.on('error', (cause) =>
      this.#running?.reject(new MusterError('internal', 'the template worker failed', { cause })),
    );
    worker.on('exit', () => this.#running?.reject(new MusterError('internal', 'the template worker ended')));
  }

  static async start(compiled: CompiledRenderer, options: TemplateEngineOptions): Promise<TemplateWorker> {
    const progress = new SharedArrayBuffer(8);
    const { module, globals } = compiled;
    const memoryMb = Math.min(compiled.memoryMb, options.memoryMb ?? MEMORY_MB);
    const workerData: TemplateWorkerData = { compiled: { module, globals, memoryMb }, progress };
    const url = options.workerUrl ?? defaultWorkerUrl();
    const thread = new Worker(url, { workerData, env: {}, name: 'muster-templates' });
    const limits = { stallMs: options.stallMs ?? 2000, callMs: options.callMs ?? 20_000 };
    const worker = new TemplateWorker(thread, progress, limits);
    thread.unref();
    await worker.#wait(undefined, { stallMs: START_MS, callMs: START_MS });
    return worker;
  }

  async call(header: string, sets: string, clock: number, signal?: AbortSignal): Promise<Rows> {
    Atomics.store(this.#counters, 1, 0);
    const answered = this.#wait(signal, this.#limits);
    this.#worker.postMessage({ id: this.#next++, header, sets, clock } satisfies TemplateJob);
    const answer = JSON.parse(await answered) as { ok?: Rows; error?: { code: ErrorCode; message: string } };
    if (answer.error) throw new MusterError(answer.error.code, answer.error.message);
    return answer.ok!;
  }

  async stop(): Promise<void> {
    this.#running = undefined;
    await this.#worker.terminate();
  }

  /**
   * The next answer; rejects when no text has been begun for `stallMs`, or after `callMs`. Keeps the process alive
   * meanwhile.
   */
  #wait(signal: AbortSignal | undefined, { stallMs, callMs }: Limits): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#running = { resolve, reject };
    let seen = -1;
    const start = performance.now();
    let since = start;
    const look = setInterval(() => {
      const now = performance.now();
      const count = Atomics.load(this.#counters, 0);
      if (count !== seen) [seen, since] = [count, now];
      else if (now - since > stallMs)
        reject(this.#stopped(`rendering took longer than ${stallMs / 1000} s and was stopped`));
      if (now - start > callMs)
        reject(this.#stopped(`rendering this for many took longer than ${callMs / 1000} s and was stopped`));
    }, LOOK_EVERY_MS);
    const onAbort = () => reject(signal!.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => {
      clearInterval(look);
      signal?.removeEventListener('abort', onAbort);
      this.#running = undefined;
    });
  }

  #explain({ code, message }: { code: string; message: string }): Error {
    return code === 'limit' ? this.#stopped(message) : new MusterError(code as ErrorCode, message);
  }

  #stopped(message: string): TextStopped {
    return new TextStopped(message, Atomics.load(this.#counters, 1));
  }
}

function defaultWorkerUrl(): URL {
  const fromSources = new URL('./gotmpl-worker.ts', import.meta.url);
  return existsSync(fileURLToPath(fromSources))
    ? fromSources
    : new URL('./gotmpl-worker.mjs', import.meta.url);
}
