import { MusterError } from '@muster/base';
import type { FileView } from './file-view.ts';
import { RendererExit, Wasi, type World } from './wasi.ts';
import { globalName } from './wasm-patch.ts';
import { type Global, type Memory, type Module, wasm } from './webassembly.ts';

/** A compiled renderer as it is shared with workers: `globals` are the indices that patchModule exported. */
export interface CompiledRenderer {
  module: Module;
  globals: number[];
  memoryMb: number;
}

interface Exports {
  memory: Memory;
  _initialize(): void;
  muster_alloc(size: number): number;
  muster_call(nameLength: number): bigint;
  muster_writable(): number;
  muster_reserved(): number;
  [global: string]: unknown;
}

/** The state that every call of an instance starts from. Instances of one module have the same, so it can be shared. */
export interface Snapshot {
  /** Where variables begin; what is below (constants, type and code tables) is the module's and never written. */
  from: number;
  /** Everything from there on; runs of zeros are left out. */
  parts: { at: number; bytes: Uint8Array }[];
  /** Bytes that Go believes to have. */
  size: number;
  globals: [name: string, value: number | bigint][];
}

const ABSENT = -1;
const KINDS = ['read', 'list', 'stat'] as const;
const PAGE = 65536;
const MEBIBYTE = 1024 * 1024;

/** The states that calls start from: of a kustomization after kustomize was warmed up, which tripled the heap, of all else before. */
export interface Snapshots {
  plain: Snapshot;
  kustomize: Snapshot;
}

/** Brings an instance into the state that calls start from; `keep` is called where that of the plain ones is reached. */
export type WarmUp = (call: Sandbox['call'], keep: () => void, memoryMb: number) => void;

/**
 * One instance of the renderer that answers every call from the same state: after its initialisation and warm-up
 * the memory and the globals are kept, and put back for each call. So map order, math/rand and caches of
 * an earlier call cannot show in a later one.
 */
export class Sandbox {
  readonly #compiled: CompiledRenderer;
  readonly #wasi: Wasi;
  readonly #exports: Exports;
  readonly snapshots: Snapshots;
  /** The snapshot that memory and globals are at, to the byte; undefined after a call. */
  #at: Snapshot | undefined;
  /** Pages that Go believes to have; the memory may have more, from an earlier call. */
  #pages = 0;
  #last: Snapshot | undefined;
  #files: FileView | undefined;
  #answer: Uint8Array = new Uint8Array(0);

  /** Starts from snapshots, or initialises an instance and takes them; what `warmUp` does every later call finds done. */
  constructor(compiled: CompiledRenderer, start: Snapshots | WarmUp) {
    this.#compiled = compiled;
    this.#wasi = new Wasi({ clock: 0, seed: new Uint8Array(32), used: { clock: false, random: false } });
    this.#exports = this.#instantiate();
    this.#pages = this.#exports.memory.buffer.byteLength / PAGE;
    if (typeof start !== 'function') {
      this.snapshots = start;
      return;
    }
    this.#guard(() => this.#exports._initialize());
    let plain: Snapshot | undefined;
    start(
      (op, body, world, files) => this.#invoke(op, body, world, files),
      () => (plain = this.#takeSnapshot()),
      compiled.memoryMb,
    );
    const last = this.#takeSnapshot();
    this.snapshots = { plain: plain ?? last, kustomize: last };
  }

  /** Runs one operation; the answer is the JSON text that Go wrote. Errors: `limit` when memory ran out. */
  call(op: string, body: Uint8Array, world: World, files: FileView): Uint8Array {
    this.#restore(op === 'kustomize' ? this.snapshots.kustomize : this.snapshots.plain);
    return this.#invoke(op, body, world, files);
  }

  /** Puts the state back that the next call most likely starts from; to be called when nobody waits. */
  tidy(): void {
    if (this.#last) this.#restore(this.#last);
  }

  /** All of the instance's memory as it is now; what is below `from` of a snapshot calls can, Go being Go, only read. */
  get memory(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer);
  }

  #invoke(op: string, body: Uint8Array, world: World, files: FileView): Uint8Array {
    this.#at = undefined;
    this.#wasi.enter(world);
    this.#files = files;
    return this.#guard(() => {
      const name = new TextEncoder().encode(op);
      const at = this.#exports.muster_alloc(name.length + body.length) >>> 0;
      const memory = new Uint8Array(this.#exports.memory.buffer);
      memory.set(name, at);
      memory.set(body, at + name.length);
      const packed = BigInt.asUintN(64, this.#exports.muster_call(name.length));
      const start = Number(packed >> 32n);
      return new Uint8Array(this.#exports.memory.buffer).slice(start, start + Number(packed & 0xffff_ffffn));
    });
  }

  #instantiate(): Exports {
    const { module } = this.#compiled;
    const instance = new wasm.Instance(module, {
      wasi_snapshot_preview1: this.#wasi.imports(module),
      muster: {
        open: (kind: number, path: number, length: number) => this.#open(kind, path, length),
        grow: (pages: number) => this.#grow(pages),
        take: (into: number) => new Uint8Array(this.#exports.memory.buffer).set(this.#answer, into >>> 0),
      },
    });
    const exports = instance.exports as unknown as Exports;
    this.#wasi.bind(exports.memory);
    return exports;
  }

  #takeSnapshot(): Snapshot {
    const names = this.#compiled.globals.map(globalName);
    const from = this.#exports.muster_writable() >>> 0;
    const size = this.#pages * PAGE;
    return {
      from,
      parts: nonZeroParts(this.#exports.memory.buffer, from, size),
      size,
      globals: names.map((name) => [name, (this.#exports[name] as Global).value]),
    };
  }

  #restore(wanted: Snapshot): void {
    if (this.#at === wanted) return;
    const missing = wanted.size - this.#exports.memory.buffer.byteLength;
    if (missing > 0) this.#exports.memory.grow(missing / PAGE);
    const memory = new Uint8Array(this.#exports.memory.buffer);
    let clean = wanted.from;
    for (const { at, bytes } of wanted.parts) {
      memory.fill(0, clean, at);
      memory.set(bytes, at);
      clean = at + bytes.length;
    }
    // Beyond what the last call had, nothing was ever written.
    memory.fill(0, clean, Math.max(wanted.size, this.#pages * PAGE));
    for (const [name, value] of wanted.globals) {
      (this.#exports[name] as Global).value = value;
    }
    this.#pages = wanted.size / PAGE;
    this.#at = this.#last = wanted;
  }

  /** What `memory.grow` does, but gives again what the memory already has. */
  #grow(pages: number): number {
    const { memory } = this.#exports;
    const before = this.#pages;
    const missing = before + pages - memory.buffer.byteLength / PAGE;
    // The module's own maximum may be larger: it is compiled once for instances of several sizes.
    if ((before + pages) * PAGE > this.#compiled.memoryMb * MEBIBYTE) return ABSENT;
    try {
      if (missing > 0) memory.grow(missing);
    } catch {
      return ABSENT;
    }
    this.#pages = before + pages;
    return before;
  }

  #open(kind: number, path: number, length: number): number {
    const name = new TextDecoder().decode(
      new Uint8Array(this.#exports.memory.buffer).slice(path >>> 0, (path >>> 0) + length),
    );
    try {
      const answer = lookUp(this.#files!, KINDS[kind]!, name);
      if (!answer) return ABSENT;
      this.#answer = answer;
      return answer.length;
    } catch (error) {
      const known = MusterError.from(error);
      const fault = { code: known.code, message: known.message, file: known.where };
      this.#answer = new TextEncoder().encode(JSON.stringify(fault));
      return -2 - this.#answer.length;
    }
  }

  #guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw explain(error, this.#wasi.log, this.#compiled.memoryMb);
    }
  }
}

/** The memory in use, in as few pieces as its pages of zeros allow, in buffers that threads can share. */
function nonZeroParts(buffer: ArrayBuffer, from: number, size: number): Snapshot['parts'] {
  const memory = Buffer.from(buffer, 0, size);
  const zeros = Buffer.alloc(PAGE);
  const parts: Snapshot['parts'] = [];
  let start: number | undefined;
  for (let at = from; at < memory.length; ) {
    const end = Math.min(memory.length, at - (at % PAGE) + PAGE);
    const empty = memory.compare(zeros, 0, end - at, at, end) === 0;
    if (!empty) start ??= at;
    if (start !== undefined && (empty || end === memory.length)) {
      const stop = empty ? at : end;
      const bytes = new Uint8Array(new SharedArrayBuffer(stop - start));
      bytes.set(memory.subarray(start, stop));
      parts.push({ at: start, bytes });
      start = undefined;
    }
    at = end;
  }
  return parts;
}

function lookUp(files: FileView, kind: (typeof KINDS)[number], path: string): Uint8Array | undefined {
  if (kind === 'read') return files.read(path);
  if (kind === 'stat') {
    const found = files.stat(path);
    return found && Uint8Array.of(found === 'file' ? 1 : 2);
  }
  const members = files.list(path);
  return members && new TextEncoder().encode(JSON.stringify(members));
}

/** What ended an instance, in words: memory, stack, or a defect of ours. */
function explain(error: unknown, log: string, memoryMb: number): MusterError {
  if (error instanceof MusterError) return error;
  if (/out of memory|cannot allocate memory/.test(log)) {
    return new MusterError('limit', `rendering needs more than ${memoryMb} MiB of memory`, {
      hint: 'Look for a template or YAML alias that multiplies itself, or raise the limit.',
      cause: error,
    });
  }
  if (error instanceof RangeError || /stack (overflow|exceeds)/.test(log)) {
    return new MusterError('limit', 'a template or value is nested too deeply to render', { cause: error });
  }
  if (error instanceof RendererExit || error instanceof wasm.RuntimeError) {
    // Warnings come first; what ended it is what Go's runtime said.
    const said =
      log.split('\n').find((line) => /^(fatal error|panic|runtime)/.test(line)) ?? (error as Error).message;
    return new MusterError('internal', `the renderer failed: ${said}`, { cause: error });
  }
  return MusterError.from(error);
}
