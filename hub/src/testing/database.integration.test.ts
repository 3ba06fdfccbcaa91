import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../store/embedded-postgres.ts';
import { connectTo } from './database.ts';

const dir = mkdtempSync(join(tmpdir(), 'muster-test-room-'));
const file = join(dir, 'url');
let server: EmbeddedPostgres;

beforeAll(async () => {
  server = await startEmbeddedPostgres({ dir: join(dir, 'postgres'), durable: false, maxConnections: 10 });
  writeFileSync(file, server.url);
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('a server for tests without room is waited for, and not started a second time', async () => {
  const taken: pg.Client[] = [];
  for (let found = await connectTo(file); found !== 'busy'; found = await connectTo(file)) {
    expect(found, 'the server is there').not.toBe('none');
    taken.push(found as pg.Client);
    expect(taken.length).toBeLessThanOrEqual(10);
  }
  await Promise.all(taken.map((client) => client.end()));
  const client = await vi.waitFor(
    async () => {
      const found = await connectTo(file);
      expect(found).toBeInstanceOf(pg.Client);
      return found as pg.Client;
    },
    { timeout: 30_000 },
  );
  await client.end();
  expect(await connectTo(join(dir, 'nothing'))).toBe('none');
});
