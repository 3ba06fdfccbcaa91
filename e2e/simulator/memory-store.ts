import type { Store } from '@muster/agent/link';

/** The records of one agent in memory; what it is made of survives as text. */
export class MemoryStore implements Store {
  readonly #records: Map<string, Buffer>;

  constructor(dumped: Readonly<Record<string, string>> = {}) {
    this.#records = new Map(
      Object.entries(dumped).map(([name, text]) => [name, Buffer.from(text, 'base64')]),
    );
  }

  async read(name: string): Promise<Buffer | undefined> {
    return this.#records.get(name);
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.#records.set(name, Buffer.from(bytes));
  }

  async remove(name: string): Promise<void> {
    this.#records.delete(name);
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.#records.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  /** Everything, base64 by name. */
  dump(): Record<string, string> {
    return Object.fromEntries([...this.#records].map(([name, bytes]) => [name, bytes.toString('base64')]));
  }
}
