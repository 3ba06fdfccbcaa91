/**
 * Named records that survive the process. Names match /^[a-z0-9]([a-z0-9.-]{0,180}[a-z0-9])?$/. A write is
 * atomic, and durable when its promise resolves. Errors are MusterError or KubeError.
 */
export interface Store {
  read(name: string): Promise<Buffer | undefined>;
  write(name: string, bytes: Uint8Array, options?: WriteOptions): Promise<void>;
  /** Removing what is not there is no error. */
  remove(name: string): Promise<void>;
  /** Names that begin with the prefix, sorted. */
  list(prefix: string): Promise<string[]>;
}

export interface WriteOptions {
  /** The name is the digest of the content: written once, never changed. */
  immutable?: boolean;
}

const NAME = /^[a-z0-9]([a-z0-9.-]{0,180}[a-z0-9])?$/;

/** Throws for a name that a store cannot hold. */
export function checkName(name: string): void {
  if (!NAME.test(name) || name.includes('..')) throw new Error(`not a record name: ${name}`);
}
