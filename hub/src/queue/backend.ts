import { createPostgresBackend, runMigrations, setDefaultBackendFactory } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { PoolClient } from '../store/pool-client.ts';

/** BullMQ's tables live apart from ours. */
const SCHEMA = 'bullmq';

/** How queues and workers reach the queue. Typed loosely: each backend reads its own kind. */
export interface Backend {
  kind: 'postgres' | 'redis';
  /** For adding jobs: fails fast while the backend is away. */
  producer: object;
  /** For workers: waits for the backend to come back. */
  consumer: object;
  prefix: string;
  close(): Promise<void>;
}

/** Chooses the backend for this process, and makes or upgrades BullMQ's tables where they are in PostgreSQL. */
export async function openBackend(
  databaseUrl: string,
  redisUrl: string | undefined,
  onError: (error: Error) => void,
): Promise<Backend> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'muster-hub queue migrate',
  });
  await client.connect();
  try {
    if (redisUrl) return redis(redisUrl, await installationId(client), onError);
    await runMigrations(client, SCHEMA);
    return postgres(databaseUrl);
  } finally {
    await client.end();
  }
}

/** Keeps hubs that share a Redis apart. */
async function installationId(client: pg.Client): Promise<string> {
  await client.query('insert into installation default values on conflict do nothing');
  const { rows } = await client.query<{ id: string }>('select id from installation');
  return rows[0]!.id;
}

function postgres(databaseUrl: string): Backend {
  setDefaultBackendFactory(createPostgresBackend);
  const connection = (max: number) => ({
    connectionString: databaseUrl,
    Client: PoolClient,
    schema: SCHEMA,
    max,
    application_name: 'muster-hub queue',
    connectionTimeoutMillis: 10_000,
  });
  return {
    kind: 'postgres',
    producer: connection(1),
    consumer: connection(2),
    prefix: 'muster',
    close: async () => undefined,
  };
}

function redis(url: string, installation: string, onError: (error: Error) => void): Backend {
  setDefaultBackendFactory(undefined);
  const producer = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 5000, commandTimeout: 10_000 });
  const consumer = new Redis(url, { maxRetriesPerRequest: null, connectTimeout: 5000 });
  for (const connection of [producer, consumer]) connection.on('error', onError);
  return {
    kind: 'redis',
    producer,
    consumer,
    prefix: `muster-${installation}`,
    close: async () => {
      producer.disconnect();
      consumer.disconnect();
    },
  };
}
