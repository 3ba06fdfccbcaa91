import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

/** Injection token of the hub's pino logger; modules take `log.child({ part: 'sources' })`. */
export const LOGGER = Symbol('logger');

/** Fields that never reach the log, wherever they stand in an object of depth three or less. */
const SECRET_FIELDS = [
  'password',
  'token',
  'secret',
  'authorization',
  'cookie',
  'credentials',
  'privateKey',
  'sshPrivateKey',
  'databaseUrl',
  'redisUrl',
];

/** JSON lines on stdout, or to `destination`. Messages are constants, variables are fields. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
    redact: {
      paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '[redacted]',
    },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Drivers hang whole connections on their errors: only what says what went wrong is logged. */
function describeError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return String(thrown);
  const { code, where } = thrown as { code?: unknown; where?: unknown };
  return {
    type: thrown.name,
    message: thrown.message,
    ...(typeof code === 'string' && { code }),
    ...(typeof where === 'string' && { where }),
    stack: thrown.stack,
    ...(thrown.cause !== undefined && { cause: describeError(thrown.cause) }),
  };
}
