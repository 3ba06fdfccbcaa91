import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, MusterError } from '@muster/base';
import type { LoadedRenderer } from './load.ts';
import { PoolWorker, type Call, type CallResult } from './pool-worker.ts';
import { prefetch } from './prefetch.ts';
import type { Bounds, FileSource, Preload, RenderRequest, RenderResult, RenderedObject } from './request.ts';
import type { Snapshots } from './sandbox.ts';
import type { Failure } from './worker-protocol.ts';

/** The size and patience of a pool. */
export interface PoolOptions {
  /** Worker threads, each with its own instance; default 1. */
  size?: number;
  /** How long one call may take before its worker is ended; default 30,000. */
  timeoutMs?: number;
  /** Calls that may wait for a worker; one more is refused with `limit`. Default 1,000. */
  queueLimit?: number;
  /** The worker's entry: beside this file when run from sources, `renderer-worker.mjs` beside a bundle. */
  workerUrl?: URL;
}

const DEFAULT_BOUNDS: Required<Bounds> = {
  totalBytes: 64 * 2 ** 20,
  fileBytes: 16 * 2 ** 20,
  fileCount: 20_000,
  outputBytes: 64 * 2 ** 20,
};

/** The defaults under what was given. */
export function withDefaults(bounds: Bounds = {}): Required<Bounds> {
  return { ...DEFAULT_BOUNDS, ...bounds };
}

interface Waiting {
  call: Call;
  resolve(result: CallResult): void;
  reject(error: unknown): void;
  signal?: AbortSignal;
  onAbort(): void;
}

const noFiles: FileSource = { list: async () => undefined, read: async () => undefined };

/** Warm worker threads that render. A worker that runs too long, runs out of memory or crashes is replaced. */
export class RendererPool {
  readonly #renderer: LoadedRenderer;
  readonly #options: Required<PoolOptions>;
  readonly #idle: PoolWorker[] = [];
  readonly #all = new Set<PoolWorker>();
  readonly #queue: Waiting[] = [];
  #snapshots: Snapshots | undefined;
  #closed = false;

  constructor(renderer: LoadedRenderer, options: PoolOptions = {}) {
    this.#renderer = renderer;
    this.#options = {
      size: options.size ?? 1,
      timeoutMs: options.timeoutMs ?? 30_000,
      queueLimit: options.queueLimit ?? 1000,
      workerUrl: options.workerUrl ?? defaultWorkerUrl(),
    };
    this.#addWorker();
  }

  /** Settles when every worker is warm; fails when one cannot start. */
  async ready(): Promise<void> {
    // The first warms up; the others then start from its state, so they exist only after it.
    await Promise.all([...this.#all].map((worker) => worker.ready));
    await Promise.all([...this.#all].map((worker) => worker.ready));
  }

  /** Renders a chart or a kustomization. Errors: MusterError, with `where` as `file:line` where it is known. */
  async render(request: RenderRequest, signal?: AbortSignal): Promise<RenderResult> {
    const { kind, ...fields } = request.source;
    const seed = seedOf(request.seed);
    const preload = await prefetch(request);
    const { answer, reads, used } = await this.#run(
      {
        op: kind,
        body: encode(JSON.stringify(fields)),
        clock: request.clock,
        seed,
        files: request.files,
        preload,
        bounds: withDefaults(request.bounds),
      },
      signal,
    );
    const rendered = parse<{ objects: RenderedObject[]; capabilities: boolean }>(answer);
    return { objects: rendered.objects, reads, used: { ...used, capabilities: rendered.capabilities } };
  }

  /** Runs another operation of the module (`gotmpl`) on bytes, without files; answers its JSON result. */
  async call(
    op: string,
    body: Uint8Array,
    options: { clock?: number; seed?: Uint8Array; preload?: Preload; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const { answer } = await this.#run(
      {
        op,
        body,
        clock: options.clock ?? 0,
        seed: options.seed ?? new Uint8Array(32),
        files: noFiles,
        preload: options.preload ?? {},
        bounds: withDefaults(),
      },
      options.signal,
    );
    return parse<unknown>(answer);
  }

  /** Ends all workers; calls under way and in the queue fail with `unavailable`. */
  async close(): Promise<void> {
    this.#closed = true;
    const gone = new MusterError('unavailable', 'the renderer is shutting down');
    for (const waiting of this.#queue.splice(0)) this.#settle(waiting, () => waiting.reject(gone));
    await Promise.all([...this.#all].map((worker) => worker.end(gone)));
  }

  #run(call: Call, signal?: AbortSignal): Promise<CallResult> {
    if (this.#closed) throw new MusterError('unavailable', 'the renderer is shutting down');
    signal?.throwIfAborted();
    if (this.#queue.length >= this.#options.queueLimit) {
      throw new MusterError('limit', `${this.#queue.length} renders are waiting already`, {
        hint: 'Try again, or give the hub more render workers.',
      });
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { call, resolve, reject, signal, onAbort: () => this.#forget(waiting) };
      signal?.addEventListener('abort', waiting.onAbort, { once: true });
      this.#queue.push(waiting);
      this.#next();
    });
  }

  /** An aborted call leaves the queue; one that is running is stopped by its worker, which hears the same signal. */
  #forget(waiting: Waiting): void {
    const at = this.#queue.indexOf(waiting);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    waiting.reject(waiting.signal!.reason);
  }

  #settle(waiting: Waiting, settle: () => void): void {
    waiting.signal?.removeEventListener('abort', waiting.onAbort);
    settle();
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const worker = this.#idle.pop()!;
      const waiting = this.#queue.shift()!;
      worker.run(waiting.call, this.#options.timeoutMs, waiting.signal).then(
        (result) => this.#settle(waiting, () => waiting.resolve(result)),
        (error: unknown) => this.#settle(waiting, () => waiting.reject(error)),
      );
    }
  }

  #addWorker(): void {
    const worker = new PoolWorker(this.#renderer, this.#snapshots, this.#options.workerUrl, {
      warm: (snapshots) => {
        if (this.#snapshots || this.#closed) return;
        this.#snapshots = snapshots;
        for (let i = 1; i < this.#options.size; i++) this.#addWorker();
      },
      idle: () => {
        this.#idle.push(worker);
        this.#next();
      },
      gone: (wasReady) => {
        this.#all.delete(worker);
        const at = this.#idle.indexOf(worker);
        if (at >= 0) this.#idle.splice(at, 1);
        if (this.#closed) return;
        if (wasReady) this.#addWorker();
        else if (this.#all.size === 0) this.#failQueue();
      },
    });
    this.#all.add(worker);
  }

  /** No worker can start: waiting for one would be waiting for ever. */
  #failQueue(): void {
    const error = new MusterError('unavailable', 'the renderer cannot be started');
    for (const waiting of this.#queue.splice(0)) this.#settle(waiting, () => waiting.reject(error));
    this.#closed = true;
  }
}

function defaultWorkerUrl(): URL {
  const fromSources = new URL('./worker.ts', import.meta.url);
  return existsSync(fileURLToPath(fromSources))
    ? fromSources
    : new URL('./renderer-worker.mjs', import.meta.url);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function seedOf(seed: Uint8Array): Uint8Array {
  if (seed.length === 32) return seed;
  throw new MusterError('invalid', `a render's seed has 32 bytes, not ${seed.length}`);
}

type Fault = Omit<Failure, 'where'> & { file?: string; line?: number };

function parse<T>(answer: Uint8Array): T {
  const { ok, error } = JSON.parse(new TextDecoder().decode(answer)) as { ok?: T; error?: Fault };
  if (!error) return ok as T;
  const where = error.file && (error.line ? `${error.file}:${error.line}` : error.file);
  throw new MusterError(error.code as ErrorCode, error.message, { where, hint: error.hint });
}
