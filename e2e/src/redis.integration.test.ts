import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis as Client } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isFree } from './ports.ts';
import { startRedis } from './redis.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-redis-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('starts on a port of its own, comes back empty on the same port after a kill, and stops', async () => {
  const first = await startRedis({ dir });
  const client = new Client(first.url, { lazyConnect: true });
  await client.set('a', '1');
  client.disconnect();
  await first.kill();
  expect(await isFree(first.port)).toBe(true);
  const second = await startRedis({ dir, port: first.port });
  const again = new Client(second.url, { lazyConnect: true });
  expect(await again.get('a')).toBeNull();
  again.disconnect();
  await second.stop();
  expect(second.process.exit()).toBeDefined();
});

test('a machine without redis-server is told what to install', async () => {
  const path = process.env.PATH;
  process.env.PATH = dir;
  try {
    await expect(startRedis({ dir })).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('apt-get install redis-server'),
    });
  } finally {
    process.env.PATH = path;
  }
});
