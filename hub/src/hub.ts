import 'reflect-metadata';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { configureHttp, createAdapter } from './api/http.ts';
import { Listening } from './api/readiness.ts';
import { AppModule } from './app.module.ts';
import type { Config } from './config.ts';
import { openDatabase } from './store/database.ts';
import { startEmbeddedPostgres } from './store/embedded-postgres.ts';
import { migrate } from './store/migrations.ts';
import { Notifications } from './store/notifications.ts';
import { Sealer, loadSealingKeys } from './store/sealer.ts';
import type { Logger } from './telemetry/logger.ts';
import { Metrics } from './telemetry/metrics.ts';
import { NestLogger } from './telemetry/nest-logger.ts';
import { startTraces } from './telemetry/traces.ts';

/** What is not closed by then is cut off, so that the database still ends cleanly. */
const CLOSE_DEADLINE_MS = 7000;

/** A hub that serves. */
export interface RunningHub {
  app: NestFastifyApplication;
  /** As written to `<data>/listening.json`. */
  listening: Listening;
  /** Ends sessions, jobs and connections, then the embedded PostgreSQL. */
  stop(): Promise<void>;
}

/**
 * Starts everything in order: store, schema, modules, HTTP; then says where it listens. `prepare` may change the app
 * before it is initialised.
 */
export async function startHub(
  config: Config,
  logger: Logger,
  prepare: (app: NestFastifyApplication) => void = () => undefined,
): Promise<RunningHub> {
  const started = performance.now();
  const undo: (() => Promise<void>)[] = [];
  try {
    // Traversable, so that an embedded PostgreSQL under another user reaches its folder; each secret is 0600.
    mkdirSync(config.dataDir, { recursive: true, mode: 0o711 });
    const file = join(config.dataDir, 'listening.json');
    rmSync(file, { force: true });
    undo.push(await startTraces(config.otlpEndpoint));
    const store = await openStore(config, logger, undo);
    logger.info({ ms: Math.round(performance.now() - started) }, 'the database is up to date');

    const app = await NestFactory.create<NestFastifyApplication>(
      AppModule.forRoot({ config, logger, store }),
      createAdapter(config),
      { logger: new NestLogger(logger), rawBody: true, abortOnError: false },
    );
    undo.push(() => Promise.race([app.close(), sleep(CLOSE_DEADLINE_MS, undefined, { ref: false })]));
    await configureHttp(app, config, app.get(Metrics));
    prepare(app);
    await app.init();
    await app.listen(config.httpPort, config.httpHost);

    const listening = app.get(Listening);
    listening.http = await app.getUrl();
    listening.publicUrl = config.publicUrl ?? listening.http;
    undo.push(async () => rmSync(file, { force: true }));
    writeFileSync(`${file}.tmp`, `${JSON.stringify(listening, null, 2)}\n`);
    renameSync(`${file}.tmp`, file);
    logger.info({ ...listening, ms: Math.round(performance.now() - started) }, 'the hub is ready');
    return { app, listening, stop: () => unwind(undo, logger) };
  } catch (error) {
    await unwind(undo, logger);
    throw error;
  }
}

async function openStore(config: Config, logger: Logger, undo: (() => Promise<void>)[]) {
  const log = logger.child({ part: 'store' });
  const sealer = new Sealer(loadSealingKeys(config.keysDir, config.createKeys));
  let url = config.databaseUrl;
  if (!url) {
    const server = await startEmbeddedPostgres({
      dir: join(config.dataDir, 'postgres'),
      onLost: (error) => {
        // Nothing works without it, and a new start repairs it: whoever supervises the hub starts it again.
        log.fatal({ err: error }, 'the embedded PostgreSQL ended');
        process.exit(1);
      },
    });
    undo.push(() => server.stop());
    url = server.url;
  }
  await migrate(url);
  const db = openDatabase(url, {
    max: config.databaseConnections,
    waitSeconds: config.databaseWaitSeconds,
    onError: (error) => log.warn({ err: error }, 'an idle connection broke'),
  });
  undo.push(() => db.destroy());
  const notifications = new Notifications(url, (error) => log.warn({ err: error }, 'notifications'));
  undo.push(() => notifications.close());
  return { url, db, sealer, notifications };
}

/** Backwards through what was started; one that fails does not keep the others from ending. */
async function unwind(undo: (() => Promise<void>)[], logger: Logger): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    await step().catch((error: unknown) => logger.warn({ err: error }, 'did not stop cleanly'));
  }
}
