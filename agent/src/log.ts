import { type Logger, pino } from 'pino';

export type Log = Logger;

/** Members whose values are never written, wherever a log call puts them. */
const SECRET = ['token', 'privateKey', 'authorization', 'data', 'stringData', 'password'];

/** JSON lines on standard output. */
export function makeLog(level: string): Log {
  return pino({
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: [...SECRET, ...SECRET.map((name) => `*.${name}`), ...SECRET.map((name) => `*.*.${name}`)],
    },
  });
}
