import type { MessagePort } from 'node:worker_threads';
import type { Bounds, Entry, Preload, Reads, Used } from './request.ts';
import type { CompiledRenderer, Snapshots } from './sandbox.ts';

/** What a worker is started with. */
export interface WorkerData {
  compiled: CompiledRenderer;
  /** Of an earlier worker; without it the worker initialises and warms up itself. */
  snapshots: Snapshots | undefined;
  /** Where the worker asks for files, and the word that says that the answer is there. */
  files: MessagePort;
  answered: SharedArrayBuffer;
}

/** Main thread → worker: one call. */
export interface Job {
  id: number;
  op: string;
  body: Uint8Array;
  clock: number;
  seed: Uint8Array;
  preload: Preload;
  bounds: Required<Bounds>;
}

/** Worker → main thread. `answer` is JSON text; `failure` is set when there is none. */
export type WorkerMessage =
  | { kind: 'ready'; snapshots: Snapshots }
  | { kind: 'broken'; message: string }
  | { kind: 'done'; id: number; answer: Uint8Array; reads: Reads; used: Omit<Used, 'capabilities'> }
  | { kind: 'failed'; id: number; failure: Failure; unusable: boolean };

/** A MusterError on its way between threads. */
export interface Failure {
  code: string;
  message: string;
  where?: string;
  hint?: string;
}

/** Worker → main thread on the files port: exactly one answer each. */
export interface FileQuestion {
  ask: 'list' | 'read';
  path: string;
}

export type FileAnswer =
  | { found: Entry[] | Uint8Array | undefined; failure?: undefined }
  | { found?: undefined; failure: Failure };
