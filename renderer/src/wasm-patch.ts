import { MusterError } from '@muster/base';

/**
 * A Go module declares its memory without a maximum, keeps its mutable globals to itself, and grows its memory without
 * asking. All three stand in the way of bounding and of restoring an instance (a memory never shrinks), so the
 * module's bytes are edited once before they are compiled.
 * Section ids and encodings: WebAssembly core specification, "Binary Format, Modules".
 */

const IMPORT = 2;
const MEMORY = 5;
const GLOBAL = 6;
const EXPORT = 7;
const CODE = 10;

/** The only `memory.grow` of Go's runtime (growMemory in its sys_wasm.s), between a load and a store of the stack. */
const GROW = [0x28, 0x02, 0x08, 0x40, 0x00, 0x36, 0x02, 0x10];
const GROW_AT = 3;
const CALL = 0x10;

/** The name under which the n-th global of a patched module is exported. */
export function globalName(index: number): string {
  return `muster_global_${index}`;
}

/**
 * Bounds the module's memory to `maxPages` (64 KiB each), exports its mutable globals, and has the import `muster.grow`
 * called in place of the instruction. Errors: `internal` where Go's runtime is not of the shape that is known here.
 */
export function patchModule(wasm: Uint8Array, maxPages: number): { bytes: Uint8Array; globals: number[] } {
  if (wasm.length < 8 || wasm[0] !== 0 || wasm[1] !== 0x61 || wasm[2] !== 0x73 || wasm[3] !== 0x6d) {
    throw new MusterError('invalid', 'the renderer is not a WebAssembly module');
  }
  const out: Uint8Array[] = [wasm.subarray(0, 8)];
  let globals: number[] = [];
  let grow: number | undefined;
  for (const section of sections(wasm)) {
    if (section.id === GLOBAL) globals = mutableGlobals(wasm, section);
    if (section.id === IMPORT) grow = functionImport(wasm, section, 'muster', 'grow');
    if (section.id === MEMORY) out.push(encodeSection(MEMORY, [boundedMemory(wasm, section, maxPages)]));
    else if (section.id === EXPORT) out.push(encodeSection(EXPORT, withGlobals(wasm, section, globals)));
    else if (section.id === CODE) out.push(...withGrow(wasm, section, grow));
    else out.push(wasm.subarray(section.header, section.end));
  }
  return { bytes: concat(out), globals };
}

interface Section {
  id: number;
  header: number;
  start: number;
  end: number;
}

function* sections(wasm: Uint8Array): Generator<Section> {
  for (let at = 8; at < wasm.length; ) {
    const id = wasm[at]!;
    const [size, start] = unsigned(wasm, at + 1);
    yield { id, header: at, start, end: start + size };
    at = start + size;
  }
}

/** The index of an imported function among all functions; Go imports nothing but functions. */
function functionImport(
  wasm: Uint8Array,
  section: Section,
  module: string,
  name: string,
): number | undefined {
  const [count, first] = unsigned(wasm, section.start);
  let at = first;
  const text = () => {
    const [length, start] = unsigned(wasm, at);
    at = start + length;
    return Buffer.from(wasm.subarray(start, at)).toString();
  };
  for (let index = 0; index < count; index++) {
    const found = text() === module;
    if (text() === name && found) return index;
    [, at] = unsigned(wasm, at + 1);
  }
  return undefined;
}

/** The code section in pieces, with a call of the same length in place of the instruction. */
function withGrow(wasm: Uint8Array, section: Section, grow: number | undefined): Uint8Array[] {
  const code = Buffer.from(wasm.buffer, wasm.byteOffset + section.start, section.end - section.start);
  const pattern = Buffer.from(GROW);
  const found = code.indexOf(pattern);
  if (grow === undefined || grow > 127 || found < 0 || code.indexOf(pattern, found + 1) >= 0) {
    throw new MusterError(
      'internal',
      'the renderer was built by a Go whose memory this version cannot manage',
    );
  }
  const at = section.start + found + GROW_AT;
  return [wasm.subarray(section.header, at), Uint8Array.of(CALL, grow), wasm.subarray(at + 2, section.end)];
}

function boundedMemory(wasm: Uint8Array, section: Section, maxPages: number): Uint8Array {
  const [count, flagAt] = unsigned(wasm, section.start);
  const [minimum] = unsigned(wasm, flagAt + 1);
  if (count !== 1 || minimum > maxPages) {
    throw new MusterError('invalid', `the renderer needs at least ${Math.ceil(minimum / 16)} MiB of memory`);
  }
  return Uint8Array.from([1, 1, ...encode(minimum), ...encode(maxPages)]);
}

function mutableGlobals(wasm: Uint8Array, section: Section): number[] {
  const found: number[] = [];
  const [count, first] = unsigned(wasm, section.start);
  let at = first;
  for (let index = 0; index < count; index++) {
    if (wasm[at + 1] === 1) found.push(index);
    at = afterConstant(wasm, at + 2);
  }
  return found;
}

/** The end of an initialiser; Go writes only `i32.const n end` and `i64.const n end`. */
function afterConstant(wasm: Uint8Array, at: number): number {
  if (wasm[at] !== 0x41 && wasm[at] !== 0x42) {
    throw new MusterError('internal', 'the renderer has a global of an unknown shape');
  }
  let end = at + 1;
  while (wasm[end]! & 0x80) end++;
  return end + 2;
}

function withGlobals(wasm: Uint8Array, section: Section, globals: number[]): Uint8Array[] {
  const [count, at] = unsigned(wasm, section.start);
  const added = globals.flatMap((index) => {
    const name = new TextEncoder().encode(globalName(index));
    return [...encode(name.length), ...name, 3, ...encode(index)];
  });
  return [
    Uint8Array.from(encode(count + globals.length)),
    wasm.subarray(at, section.end),
    Uint8Array.from(added),
  ];
}

function encodeSection(id: number, parts: Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return concat([Uint8Array.from([id, ...encode(size)]), ...parts]);
}

function unsigned(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function encode(value: number): number[] {
  const out: number[] = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    out.push(value > 0 ? low | 0x80 : low);
  } while (value > 0);
  return out;
}

function concat(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
