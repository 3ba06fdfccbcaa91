/** Runs jq programs in a worker of their own: whoever started it ends it when a program takes too long. */
import { parentPort } from 'node:worker_threads';
import type { JqAnswer, JqJob } from './protocol.ts';

const PAGE = 65_536;
/** jq itself needs some 20 MiB. */
const MAX_MEMORY = 128 * 1024 * 1024;
const MAX_OUTPUT = 1024 * 1024;

interface Memory {
  buffer: ArrayBuffer;
  grow(pages: number): number;
}
// The types of Node know no WebAssembly.
const memory = (globalThis as unknown as { WebAssembly: { Memory: { prototype: Memory } } }).WebAssembly
  .Memory.prototype;
const { grow } = memory;
memory.grow = function (this: Memory, pages: number): number {
  if (this.buffer.byteLength + pages * PAGE > MAX_MEMORY) throw new RangeError('out of memory');
  return grow.call(this, pages);
};

// Loaded after the bound is in place.
const { default: jq } = await import('jq-wasm');

parentPort!.on('message', async ({ expression, text }: JqJob) => {
  parentPort!.postMessage(await run(expression, text));
});

async function run(expression: string, text: string): Promise<JqAnswer> {
  try {
    const output = await jq.raw(text, `[path(${expression}\n)]`, ['-c']);
    if (output.length > MAX_OUTPUT) return { error: 'names too many fields' };
    return { paths: JSON.parse(output) as JqAnswer['paths'] };
  } catch (thrown) {
    return { error: firstLine(thrown instanceof Error ? thrown.message : String(thrown)) };
  }
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/^Failed to execute raw query: /, '').slice(0, 300);
}
