import { MusterError } from '@muster/base';

/**
 * What `muster` ends with. 0: done, or nothing differs. 1: it failed, or what was waited for did not come. 2: the
 * command line is wrong, or (`diff`) there are changes. 130: interrupted.
 */
export const EXIT = { ok: 0, failed: 1, usage: 2, changes: 2, interrupted: 130 } as const;

/** The one mapping from errors to exit codes: everything the hub refuses is 1. */
export function exitCodeOf(thrown: unknown): number {
  return thrown instanceof UsageError ? EXIT.usage : EXIT.failed;
}

/** The command line asks for something that cannot be meant. */
export class UsageError extends MusterError {
  constructor(message: string, hint?: string) {
    super('invalid', message, hint ? { hint } : {});
  }
}
