import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type ErrorCode, MusterError } from '@muster/base';
import type { Bounds, FileSource, Preload, Reads } from './request.ts';
import type { CompiledRenderer, Snapshots } from './sandbox.ts';
import type { FileAnswer, FileQuestion, Job, WorkerData, WorkerMessage } from './worker-protocol.ts';

/** One operation of the renderer with everything that it may look at. */
export interface Call {
  op: string;
  body: Uint8Array;
  clock: number;
  seed: Uint8Array;
  files: FileSource;
  preload: Preload;
  bounds: Required<Bounds>;
}

/** The JSON text that Go answered with, and what was recorded on the way. */
export interface CallResult {
  answer: Uint8Array;
  reads: Reads;
  used: { clock: boolean; random: boolean };
}

interface Events {
  /** The worker has come up, and starts calls from these states. */
  warm(snapshots: Snapshots): void;
  /** The worker is warm and has nothing to do. */
  idle(): void;
  /** The thread has ended; `wasReady` is false when it never came up. */
  gone(wasReady: boolean): void;
}

interface Running {
  id: number;
  call: Call;
  finish(settle: () => void): void;
  resolve(result: CallResult): void;
  reject(error: unknown): void;
}

/** A thread with one instance. It runs one call at a time and is ended, never interrupted, when a call goes wrong. */
export class PoolWorker {
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #files: MessagePort;
  readonly #answered = new SharedArrayBuffer(4);
  readonly #events: Events;
  #running: Running | undefined;
  #jobs = 0;
  #warm = false;
  #ending: MusterError | undefined;

  constructor(renderer: CompiledRenderer, snapshots: Snapshots | undefined, url: URL, events: Events) {
    const { port1, port2 } = new MessageChannel();
    this.#events = events;
    this.#files = port1;
    const { module, globals, memoryMb } = renderer;
    const workerData: WorkerData = {
      compiled: { module, globals, memoryMb },
      snapshots,
      files: port2,
      answered: this.#answered,
    };
    this.#worker = new Worker(url, {
      workerData,
      transferList: [port2],
      name: 'muster-renderer',
      env: {},
      // The instance's memory is bounded by itself; this bounds what its host code keeps.
      resourceLimits: { maxOldGenerationSizeMb: 256, stackSizeMb: 16 },
    });
    port1.on('message', (question: FileQuestion) => void this.#answer(question));
    // A pool must not keep a process alive that has nothing else to do.
    port1.unref();
    this.#worker.unref();
    this.ready = this.#listen();
    this.ready.catch(() => {});
  }

  /** Runs one call; the worker must be idle. */
  run(call: Call, timeoutMs: number, signal?: AbortSignal): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      const id = ++this.#jobs;
      const late = new MusterError(
        'limit',
        `rendering took longer than ${timeoutMs / 1000} s and was stopped`,
        {
          hint: 'Look for a template that never ends, or raise the time limit.',
        },
      );
      const timer = setTimeout(() => void this.end(late), timeoutMs);
      const onAbort = () => void this.end(MusterError.from(signal!.reason, 'unavailable'));
      signal?.addEventListener('abort', onAbort, { once: true });
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#running = undefined;
        settle();
      };
      this.#running = { id, call, finish, resolve, reject };
      const { op, body, clock, seed, preload, bounds } = call;
      this.#worker.postMessage({ id, op, body, clock, seed, preload, bounds } satisfies Job);
    });
  }

  /** Ends the thread; what it was doing fails with the error. */
  async end(error: MusterError): Promise<void> {
    this.#ending ??= error;
    await this.#worker.terminate();
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      let reason: MusterError | undefined;
      this.#worker.on('message', (message: WorkerMessage) => {
        if (message.kind === 'ready') {
          this.#warm = true;
          this.#events.warm(message.snapshots);
          resolve();
          this.#events.idle();
        } else if (message.kind === 'broken') {
          reason = new MusterError('unavailable', `the renderer cannot be started: ${message.message}`);
          void this.end(reason);
        } else {
          this.#finished(message);
        }
      });
      this.#worker.on('error', (error) => {
        reason = crashed(error);
      });
      this.#worker.on('exit', () => {
        this.#files.close();
        const error =
          this.#ending ?? reason ?? new MusterError('internal', 'a render worker ended without a reason');
        reject(error);
        const running = this.#running;
        running?.finish(() => running.reject(error));
        this.#events.gone(this.#warm);
      });
    });
  }

  #finished(message: Extract<WorkerMessage, { id: number }>): void {
    const running = this.#running;
    if (!running || running.id !== message.id || this.#ending) return;
    if (message.kind === 'done') {
      const { answer, reads, used } = message;
      running.finish(() => running.resolve({ answer, reads, used }));
      this.#events.idle();
      return;
    }
    const { code, message: text, where, hint } = message.failure;
    const error = new MusterError(code as ErrorCode, text, { where, hint });
    running.finish(() => running.reject(error));
    if (message.unusable) void this.end(error);
    else this.#events.idle();
  }

  /** Serves the worker, which sleeps until the flag is raised. */
  async #answer({ ask, path }: FileQuestion): Promise<void> {
    let answer: FileAnswer;
    try {
      const found = await this.#running?.call.files[ask](path);
      // A copy: posting a slice of a larger buffer would post all of it.
      answer = { found: found instanceof Uint8Array ? new Uint8Array(found) : found };
    } catch (error) {
      const { code, message, where, hint } = MusterError.from(error, 'unavailable');
      answer = { failure: { code, message, where, hint } };
    }
    this.#files.postMessage(answer);
    const flag = new Int32Array(this.#answered);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  }
}

function crashed(error: unknown): MusterError {
  const code = (error as { code?: string }).code;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new MusterError('limit', 'rendering ran out of memory', { cause: error });
  }
  return new MusterError('internal', `a render worker failed: ${(error as Error).message}`, { cause: error });
}
