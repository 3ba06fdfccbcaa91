/** Hubs that have nothing but a queue, a replica that is to be killed, and a Redis. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from '@muster/base';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { ApiModule } from '../api/api.module.ts';
import { CONFIG, readConfig } from '../config.ts';
import { openDatabase } from '../store/database.ts';
import { Notifications } from '../store/notifications.ts';
import { Sealer } from '../store/sealer.ts';
import { StoreModule } from '../store/store.module.ts';
import { TelemetryModule } from '../telemetry/telemetry.module.ts';
import { type JobContext, type JobHandler, jobHandlers } from './jobs.ts';
import { PATIENCE } from '../testing/index.ts';
import { Outbox } from './outbox.ts';
import { QueueModule } from './queue.module.ts';

export interface Backend {
  name: string;
  start(): Promise<{ redisUrl?: string; stop(): Promise<void> }>;
}
export const backends: Backend[] = [
  { name: 'PostgreSQL', start: async () => ({ stop: async () => undefined }) },
  { name: 'Redis', start: () => startRedis() },
];

/** Present in CI (`.ci/run` installs it); a machine without it tests the other backend. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis) console.warn('redis-server is not installed: the queue is tested on PostgreSQL only');

export interface Hub {
  outbox: Outbox;
  ask(keys: string[], options?: Parameters<Outbox['add']>[3]): Promise<void>;
  stop(): Promise<void>;
}

@Module({})
class TestModule {
  static with(imports: DynamicModule['imports'], handlers: JobHandler[]): DynamicModule {
    return { module: TestModule, imports: imports!, providers: [jobHandlers([], () => handlers)] };
  }
}

@Module({})
class ConfigModule {
  static with(config: object): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
  }
}

export async function startHub(
  url: string,
  redisUrl: string | undefined,
  handle: (key: string, context: JobContext) => Promise<Outcome>,
  everySeconds?: number,
): Promise<Hub> {
  const db = openDatabase(url);
  const notifications = new Notifications(url);
  const sealer = new Sealer({ current: 'a', keys: { a: Buffer.alloc(32).toString('base64') } });
  const handlers: JobHandler[] = everySeconds
    ? [{ queue: 'maintenance', prefix: 'poll', everySeconds, handle }]
    : [{ queue: 'expand', prefix: 'set', handle }];
  const app = await NestFactory.createApplicationContext(
    TestModule.with(
      [
        ConfigModule.with(readConfig({ DATABASE_URL: url, ...(redisUrl ? { REDIS_URL: redisUrl } : {}) })),
        TelemetryModule.forRoot(pino({ level: process.env['MUSTER_TEST_LOG'] ?? 'silent' })),
        StoreModule.forRoot({ url, db, sealer, notifications }),
        QueueModule.forRoot(handlers),
        ApiModule,
      ],
      handlers,
    ),
    { logger: false },
  );
  let stopped: Promise<void> | undefined;
  const outbox = app.get(Outbox);
  return {
    outbox,
    ask: async (keys, options) =>
      void (await db.transaction().execute((trx) => outbox.add(trx, 'expand', keys, options))),
    stop: () => {
      stopped ??= (async () => {
        await app.close();
        await notifications.close();
        await db.destroy();
      })();
      return stopped;
    },
  };
}

/** A replica in a process of its own that takes a job and never ends it. */
export async function startVictim(url: string, redisUrl: string | undefined) {
  const child = spawn(process.execPath, [new URL('./victim.fixture.ts', import.meta.url).pathname], {
    env: { ...process.env, DATABASE_URL: url, REDIS_URL: redisUrl ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return {
    line: (text: string) => vi.waitFor(() => expect(output).toContain(text), PATIENCE),
    kill: () => ended(child, 'SIGKILL'),
  };
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

export async function startRedis(port?: number) {
  port ??= await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'muster-redis-'));
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''],
    {
      stdio: 'ignore',
    },
  );
  const redisUrl = `redis://127.0.0.1:${port}`;
  const probe = new Redis(redisUrl, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  probe.on('error', () => undefined);
  await probe.ping();
  probe.disconnect();
  return {
    redisUrl,
    stop: async () => {
      await ended(child, 'SIGTERM');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
