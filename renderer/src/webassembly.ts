/** The part of the WebAssembly API in use; TypeScript has its types only in the library for browsers. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export interface Global {
  value: number | bigint;
}

/** A compiled module; it can be posted to worker threads, which then share its code. */
export type Module = object & { readonly __module?: never };

export type Imports = Record<string, Record<string, (...args: never[]) => unknown>>;

interface Api {
  compile(bytes: Uint8Array): Promise<Module>;
  Module: { imports(module: Module): { module: string; name: string; kind: string }[] };
  Instance: new (module: Module, imports: Imports) => { exports: Record<string, unknown> };
  RuntimeError: new (message?: string) => Error;
}

export const wasm = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;
