import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askPrometheus } from './prometheus.ts';

const TOOL = new URL('../../../tools/prometheus.ts', import.meta.url);

/** What is used of tools/prometheus.ts, which says more. */
interface Prometheus {
  readonly url: string;
  pause(): void;
  resume(): void;
  down(): Promise<void>;
  stop(): Promise<void>;
}

const { startPrometheus, prometheusProblem } = (await import(pathToFileURL(fileURLToPath(TOOL)).href)) as {
  startPrometheus(): Promise<Prometheus>;
  prometheusProblem(): Promise<string | undefined>;
};
const problem = await prometheusProblem();
if (problem) console.warn(`without a real Prometheus: ${problem}`);

describe.skipIf(problem)('a real Prometheus', () => {
  let prometheus: Prometheus;
  const { signal } = new AbortController();
  const ask = (query: string, timeoutMs = 5_000) =>
    askPrometheus(
      { url: prometheus.url, tokenFile: '', services: [] },
      { query, service: '', timeoutMs },
      signal,
    );

  beforeAll(async () => {
    prometheus = await startPrometheus();
  });
  afterAll(() => prometheus?.stop());

  it('answers numbers, nothing, and what is no number', async () => {
    expect(await ask('vector(0.5)')).toEqual({
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: {}, value: [expect.any(Number), '0.5'] }] },
    });
    expect(await ask('absent_total')).toEqual({
      status: 'success',
      data: { resultType: 'vector', result: [] },
    });
    expect(await ask('0 / 0')).toMatchObject({
      data: { resultType: 'scalar', result: [expect.any(Number), 'NaN'] },
    });
  });

  it('says what is wrong with a query in its own words', async () => {
    expect(await ask('errors{')).toEqual({
      status: 'error',
      error: expect.stringContaining('parse error: unexpected end of input inside braces'),
    });
  });

  it('is told apart while it is slow, hangs and is gone', async () => {
    const slow = await ask('max_over_time(sin(vector(time()))[40000s:1ms])', 500).catch(
      (thrown: Error) => thrown,
    );
    // Whoever is faster says it.
    expect(JSON.stringify(slow instanceof Error ? slow.message : slow)).toMatch(
      /query timed out|no answer within 0.5 s/,
    );
    prometheus.pause();
    await expect(ask('1', 500)).rejects.toThrow('Prometheus cannot be asked: no answer within 0.5 s');
    prometheus.resume();
    await prometheus.down();
    await expect(ask('1')).rejects.toThrow('Prometheus cannot be asked: ECONNREFUSED');
  });
});
