/** Parts that must be up before the hub is ready: each owner sets its own flag. */
export class Readiness {
  readonly #parts = new Map<string, boolean>();

  /** Names a part that the hub waits for; call it in a constructor. */
  expect(part: string): void {
    if (!this.#parts.has(part)) this.#parts.set(part, false);
  }

  set(part: string, ready: boolean): void {
    this.#parts.set(part, ready);
  }

  /** The parts that are not ready. */
  missing(): string[] {
    return [...this.#parts].filter(([, ready]) => !ready).map(([part]) => part);
  }
}

/** The addresses the hub listens on, once it does; written to `<data>/listening.json`. */
export class Listening {
  http?: string;
  /** HOST:PORT of agent sessions, set by the gateway. */
  session?: string;
  enrol?: string;
  publicUrl?: string;
  caSha256?: string;
}
