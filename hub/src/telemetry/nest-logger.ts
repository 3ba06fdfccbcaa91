import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.ts';

/** Nest's own messages, as lines of the hub's log: its chatter at start only with debug. */
export class NestLogger implements LoggerService {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log.child({ part: 'nest' });
  }

  log(message: unknown, ...context: unknown[]): void {
    this.#log.debug({ context: context.at(-1) }, String(message));
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.#log.error(
      { err: message instanceof Error ? message : undefined, context: rest.at(-1) },
      String(message),
    );
  }
  warn(message: unknown, ...context: unknown[]): void {
    this.#log.warn({ context: context.at(-1) }, String(message));
  }
  debug(): void {}
  verbose(): void {}
}
