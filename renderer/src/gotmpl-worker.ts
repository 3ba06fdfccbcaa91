import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { MusterError } from '@muster/base';
import { FileView } from './file-view.ts';
import type { TemplateAnswer, TemplateJob, TemplateWorkerData } from './gotmpl-protocol.ts';
import { Sandbox } from './sandbox.ts';

const { compiled, progress } = workerData as TemplateWorkerData;
const counters = new Int32Array(progress);
const port = parentPort!;
const bounds = { totalBytes: 0, fileBytes: 0, fileCount: 0, outputBytes: 0 };

/** Templates see no files; the one path that Go asks for says which text it is about to render. */
class ProgressView extends FileView {
  constructor() {
    super({ list: () => undefined, read: () => undefined }, bounds);
  }

  override stat(text: string): undefined {
    Atomics.store(counters, 1, Number(text));
    Atomics.add(counters, 0, 1);
  }
}

const view = new ProgressView();
const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Invoke = Sandbox['call'];

function call(invoke: Invoke, { header, sets, clock }: TemplateJob): string {
  const world = { clock, seed: randomBytes(32), used: { clock: false, random: false } };
  return decoder.decode(invoke('gotmpl', encoder.encode(`${header}\n${sets}`), world, view));
}

function run(invoke: Invoke, job: TemplateJob): void {
  let answer: TemplateAnswer;
  try {
    answer = { id: job.id, text: call(invoke, job) };
  } catch (error) {
    const { code, message } = MusterError.from(error);
    answer = { id: job.id, failure: { code, message } };
  }
  port.postMessage(answer);
}

/**
 * An instance that goes on from where the last call left it, unlike one for manifests: parsed templates stay, and
 * nothing that one set's templates do is seen by the next but the order in which maps are walked, which is
 * undefined in the reference too. What is random is so, as it is there.
 */
function start(): Invoke {
  let invoke: Invoke | undefined;
  new Sandbox(compiled, (call) => {
    invoke = call;
  });
  const header = JSON.stringify({ op: 'render', texts: ['{{ .name | upper }}'], options: [] });
  call(invoke!, { id: 0, header, sets: '[{"name":"warm"}]', clock: 0 });
  return invoke!;
}

try {
  const invoke = start();
  port.on('message', (job: TemplateJob) => run(invoke, job));
  port.postMessage({ id: 0, text: '' } satisfies TemplateAnswer);
} catch (error) {
  const { code, message } = MusterError.from(error);
  port.postMessage({ id: 0, failure: { code, message } } satisfies TemplateAnswer);
}
