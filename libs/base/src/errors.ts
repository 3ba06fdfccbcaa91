/**
 * The closed set of error codes. HTTP statuses, gRPC codes and exit codes are derived from it
 * in one file each (`hub/src/api/problem.ts`, `hub/src/agents/grpc-status.ts`, `cli/src/exit.ts`).
 */
export type ErrorCode =
  | 'invalid' // the caller's input is wrong
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict' // exists already, or is held by someone else
  | 'precondition' // the state does not allow it now
  | 'limit' // a bound was met: size, count, depth, time
  | 'unavailable' // a dependency cannot be reached; trying again may help
  | 'unsupported' // a documented feature of the reference that Muster refuses by name
  | 'internal';

/** What a MusterError carries besides its message. */
export interface ErrorDetails {
  /** Where it was found: `file:line`, a field path such as `spec.source.path`, or an object's name. */
  where?: string;
  /** What the reader can do about it, one sentence. */
  hint?: string;
  cause?: unknown;
}

/** The one error class. `message` is safe to show: it holds no secret and no stack. */
export class MusterError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'MusterError';
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
  }

  /** Wraps anything thrown. A MusterError passes through unchanged; everything else becomes `internal`. */
  static from(thrown: unknown, code: ErrorCode = 'internal'): MusterError {
    if (thrown instanceof MusterError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new MusterError(code, message, { cause: thrown });
  }

  /** The sentence a user reads: `where: message (hint)`. */
  describe(): string {
    return (this.where ? `${this.where}: ` : '') + this.message + (this.hint ? ` (${this.hint})` : '');
  }
}
