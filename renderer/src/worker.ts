import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { MusterError, type ErrorCode } from '@muster/base';
import { FileView, type SyncFileSource } from './file-view.ts';
import type { Entry, Preload } from './request.ts';
import { Sandbox } from './sandbox.ts';
import { warmUp } from './warm-up.ts';
import type { Failure, FileAnswer, FileQuestion, Job, WorkerData, WorkerMessage } from './worker-protocol.ts';

const { compiled, snapshots, files, answered } = workerData as WorkerData;
const flag = new Int32Array(answered);
const main = parentPort!;

function send(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  main.postMessage(message, transfer);
}

/** Asks the main thread and sleeps until it has answered: Go's calls are synchronous. */
function ask(question: FileQuestion): Entry[] | Uint8Array | undefined {
  Atomics.store(flag, 0, 0);
  files.postMessage(question);
  Atomics.wait(flag, 0, 0);
  const { message } = receiveMessageOnPort(files) as { message: FileAnswer };
  if (message.failure) throw revive(message.failure);
  return message.found;
}

function source(preload: Preload): SyncFileSource {
  return {
    list: (dir) => preload.lists?.[dir] ?? (ask({ ask: 'list', path: dir }) as Entry[] | undefined),
    read: (path) => preload.files?.[path] ?? (ask({ ask: 'read', path }) as Uint8Array | undefined),
  };
}

function revive({ code, message, where, hint }: Failure): MusterError {
  return new MusterError(code as ErrorCode, message, { where, hint });
}

function run(sandbox: Sandbox, job: Job): void {
  const view = new FileView(source(job.preload), job.bounds);
  const used = { clock: false, random: false };
  try {
    const answer = sandbox.call(job.op, job.body, { clock: job.clock, seed: job.seed, used }, view);
    if (answer.length > job.bounds.outputBytes) {
      throw new MusterError('limit', `the rendered manifests have more than ${job.bounds.outputBytes} bytes`);
    }
    send({ kind: 'done', id: job.id, answer, reads: view.reads(), used }, [answer.buffer as ArrayBuffer]);
  } catch (error) {
    const { code, message, where, hint } = MusterError.from(error);
    // After a trap the instance's stack is anyone's guess; a new worker is surer than a restore.
    const unusable = code === 'limit' || code === 'internal';
    send({ kind: 'failed', id: job.id, failure: { code, message, where, hint }, unusable });
  }
}

try {
  const sandbox = new Sandbox(compiled, snapshots ?? warmUp);
  main.on('message', (job: Job) => {
    run(sandbox, job);
    // After the answer, so that the next call finds it done.
    sandbox.tidy();
  });
  send({ kind: 'ready', snapshots: sandbox.snapshots });
} catch (error) {
  send({ kind: 'broken', message: MusterError.from(error).message });
}
