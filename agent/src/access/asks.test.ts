import { Ask } from '@muster/proto/records';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { Cluster } from '../apply/cluster.ts';
import type { Engine } from '../apply/engine.ts';
import { type AnswerEnding, Asks } from './asks.ts';

/** An engine that looks for the bundle as long as it is let. */
const engine = {
  runner: () => ({
    app: {},
    desired: (signal: AbortSignal) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      ),
  }),
} as unknown as Engine;
const cluster = { log: pino({ level: 'silent' }), power: { accepted: undefined } } as unknown as Cluster;

it('an agent that is stopped says so to who waits', async () => {
  const stop = new AbortController();
  const ended = Promise.withResolvers<AnswerEnding>();
  const call = {
    write: () => Promise.resolve(),
    end: (ending: AnswerEnding) => Promise.resolve(ended.resolve(ending)),
    broken: new AbortController().signal,
  };
  const prometheus = { url: '', tokenFile: '', services: [] };
  const asks = new Asks({ engine, cluster, prometheus, open: () => call, signal: stop.signal });
  asks.begin(Ask.fromPartial({ id: 'a', query: { $case: 'tree', value: {} } }));
  stop.abort(new Error('SIGTERM'));
  expect(await ended.promise).toMatchObject({
    code: 'unavailable',
    message: 'the agent was stopped meanwhile',
  });
});
