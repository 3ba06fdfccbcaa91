import { createHash } from 'node:crypto';
import { type Imports, type Memory, type Module, wasm } from './webassembly.ts';

/** The outside world of one call, as far as the renderer may know it. */
export interface World {
  /** Unix time in milliseconds. */
  clock: number;
  /** 32 bytes from which every random byte of the call follows. */
  seed: Uint8Array;
  /** What the call has asked for so far. */
  used: { clock: boolean; random: boolean };
}

/** Thrown through the instance when it ends itself: a Go fatal error or out of memory. */
export class RendererExit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`the renderer ended itself with status ${status}`);
    this.status = status;
  }
}

const SUCCESS = 0;
const EBADF = 8;
const ENOSYS = 52;
const REALTIME = 0;
/** argv[0]: some Go packages index it while they initialise. */
const PROGRAM = new TextEncoder().encode('renderer\0');
const LOG_LIMIT = 64 * 1024;

/**
 * The WASI preview 1 calls that Go makes, and no others: no file system, no network, no environment.
 * Time stands at `world.clock`; the monotonic clock is virtual and moves a microsecond with each look, so that
 * even the scheduler and the garbage collector of two runs see the same. Everything else answers ENOSYS.
 */
export class Wasi {
  world: World;
  /** What the module wrote to stdout and stderr, cut at 64 KiB: Go's fatal errors. */
  log = '';
  #memory: Memory | undefined;
  #monotonic = 0n;
  #stream = new SeededStream(new Uint8Array(32));

  constructor(world: World) {
    this.world = world;
    this.enter(world);
  }

  /** Binds the memory of the instance that these functions serve. */
  bind(memory: Memory): void {
    this.#memory = memory;
  }

  /** Starts a call: the clocks and the random stream begin anew. */
  enter(world: World): void {
    this.world = world;
    this.log = '';
    this.#monotonic = 1_000_000_000n;
    this.#stream = new SeededStream(world.seed);
  }

  /** The import object for every function that the module names. */
  imports(module: Module): Imports[string] {
    const known = this.#functions();
    const named = wasm.Module.imports(module).filter((i) => i.module === 'wasi_snapshot_preview1');
    return Object.fromEntries(named.map(({ name }) => [name, known[name] ?? (() => refusal(name))]));
  }

  #view(): DataView {
    return new DataView(this.#memory!.buffer);
  }

  #functions(): Record<string, (...args: never[]) => number | void> {
    return {
      args_sizes_get: (count: number, size: number) => this.#u32s([count, 1], [size, PROGRAM.length]),
      args_get: (pointers: number, text: number) => {
        new Uint8Array(this.#memory!.buffer, text, PROGRAM.length).set(PROGRAM);
        return this.#u32s([pointers, text]);
      },
      environ_sizes_get: (count: number, size: number) => this.#u32s([count, 0], [size, 0]),
      environ_get: () => SUCCESS,
      sched_yield: () => SUCCESS,
      clock_time_get: (id: number, _precision: bigint, into: number) => this.#time(id, into),
      random_get: (into: number, length: number) => this.#random(into, length),
      fd_write: (_fd: number, vectors: number, count: number, written: number) =>
        this.#write(vectors, count, written),
      poll_oneoff: (subscriptions: number, events: number, count: number, stored: number) =>
        this.#poll(subscriptions, events, count, stored),
      proc_exit: (status: number) => {
        throw new RendererExit(status);
      },
    };
  }

  #u32s(...pairs: [address: number, value: number][]): number {
    const view = this.#view();
    for (const [address, value] of pairs) view.setUint32(address, value, true);
    return SUCCESS;
  }

  #time(id: number, into: number): number {
    if (id === REALTIME) {
      this.world.used.clock = true;
      this.#view().setBigUint64(into, BigInt(this.world.clock) * 1_000_000n, true);
    } else {
      this.#monotonic += 1000n;
      this.#view().setBigUint64(into, this.#monotonic, true);
    }
    return SUCCESS;
  }

  #random(into: number, length: number): number {
    this.world.used.random = true;
    this.#stream.fill(new Uint8Array(this.#memory!.buffer, into >>> 0, length));
    return SUCCESS;
  }

  #write(vectors: number, count: number, written: number): number {
    const view = this.#view();
    let total = 0;
    for (let i = 0; i < count; i++) {
      const at = view.getUint32(vectors + 8 * i, true);
      const length = view.getUint32(vectors + 8 * i + 4, true);
      total += length;
      const room = LOG_LIMIT - this.log.length;
      if (room <= 0) continue;
      this.log += new TextDecoder().decode(
        new Uint8Array(this.#memory!.buffer, at, Math.min(length, room)).slice(),
      );
    }
    view.setUint32(written, total, true);
    return SUCCESS;
  }

  /** Nobody sleeps: the virtual clock jumps to the earliest time waited for. */
  #poll(subscriptions: number, events: number, count: number, stored: number): number {
    const view = this.#view();
    let ready = 0;
    for (let i = 0; i < count; i++) {
      const subscription = subscriptions + 48 * i;
      if (view.getUint8(subscription + 8) !== 0) continue;
      const timeout = view.getBigUint64(subscription + 24, true);
      const absolute = view.getUint16(subscription + 40, true) === 1;
      const until = absolute ? timeout : this.#monotonic + timeout;
      if (until > this.#monotonic) this.#monotonic = until;
      const event = events + 32 * ready++;
      view.setBigUint64(event, view.getBigUint64(subscription, true), true);
      view.setUint16(event + 8, SUCCESS, true);
      view.setUint8(event + 10, 0);
    }
    view.setUint32(stored, ready, true);
    return SUCCESS;
  }
}

/** Descriptors do not exist, and what would make or find one is not there. */
function refusal(name: string): number {
  return name.startsWith('fd_') ? EBADF : ENOSYS;
}

/** SHA-256 in counter mode: the same bytes for the same seed, whatever the sizes asked for. */
export class SeededStream {
  readonly #seed: Uint8Array;
  #counter = 0;
  #block: Uint8Array = new Uint8Array(0);

  constructor(seed: Uint8Array) {
    this.#seed = seed.slice();
  }

  /** Fills `into` with the next bytes. */
  fill(into: Uint8Array): void {
    for (let at = 0; at < into.length; ) {
      if (this.#block.length === 0) this.#block = this.#next();
      const part = this.#block.subarray(0, into.length - at);
      into.set(part, at);
      at += part.length;
      this.#block = this.#block.subarray(part.length);
    }
  }

  #next(): Uint8Array {
    const counter = new Uint8Array(8);
    new DataView(counter.buffer).setBigUint64(0, BigInt(this.#counter++), true);
    return createHash('sha256').update(this.#seed).update(counter).digest();
  }
}
