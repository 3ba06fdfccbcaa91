import type { CompiledRenderer } from './sandbox.ts';

export interface TemplateWorkerData {
  compiled: CompiledRenderer;
  /** Two 32-bit words: a count that grows with each text, and the text's index. */
  progress: SharedArrayBuffer;
}

/** One request of package gotmpl: its header and its parameter sets, both JSON. */
export interface TemplateJob {
  id: number;
  header: string;
  sets: string;
  /** What `now` answers, Unix milliseconds. */
  clock: number;
}

/** Job 0 is the start of the worker. */
export interface TemplateAnswer {
  id: number;
  text?: string;
  failure?: { code: string; message: string };
}
