import { MusterError } from '@muster/base';

/** The hub has more to do than it can, or its database has gone for a moment: the same again in a while may succeed. */
export class Overloaded extends MusterError {
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number, cause?: unknown) {
    super('unavailable', message, { hint: `Try again in ${retryAfterSeconds} seconds.`, cause });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** SQLSTATEs, or their classes, that pass by themselves. */
const PASSING: readonly [pattern: RegExp, message: string, seconds: number][] = [
  [/^53/, 'the database has no room for more connections or work', 5],
  [/^57014$/, 'the database took too long for this', 5],
  [/^(08|57P)/, 'the database is starting, stopping or away', 5],
  [/^(40001|40P01|55P03)$/, 'others wrote the same at the same time', 1],
  [/^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND)$/, 'the database cannot be reached', 5],
];

/** What node-postgres says without a code. */
const WORDS: readonly [pattern: RegExp, message: string, seconds: number][] = [
  [/^timeout exceeded when trying to connect$/, 'the hub is busy: no connection to its database was free', 2],
  [
    /^Connection terminated|^Client has encountered a connection error|^Client was closed/,
    'the connection to the database was lost',
    5,
  ],
];

/** How many causes are looked at. */
const DEPTH = 5;

/** The overload behind an error of the database, wherever it stands among the causes; undefined: it is another one. */
export function overloadOf(thrown: unknown): Overloaded | undefined {
  let each: unknown = thrown;
  for (let depth = 0; depth < DEPTH && each instanceof Error; depth++, each = each.cause) {
    if (each instanceof Overloaded) return each;
    const { message } = each;
    const code = String((each as { code?: unknown }).code ?? '');
    const found =
      PASSING.find(([pattern]) => pattern.test(code)) ?? WORDS.find(([pattern]) => pattern.test(message));
    if (found) return new Overloaded(found[1], found[2], thrown);
  }
  return undefined;
}
