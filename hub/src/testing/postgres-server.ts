/**
 * The PostgreSQL that all integration tests of a checkout share, each with databases of its own. Started
 * detached by the first test that needs it; ends itself, and deletes its folder, when nobody has been connected for
 * a while. `node postgres-server.ts DIR`.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres } from '../store/embedded-postgres.ts';

const IDLE_SECONDS = 30;
/** Files are tested side by side, each with hubs of some 50 connections. */
const MAX_CONNECTIONS = 1_000;

const dir = process.argv[2]!;
const server = await startEmbeddedPostgres({ dir, durable: false, maxConnections: MAX_CONNECTIONS });
const client = new pg.Client({ connectionString: server.url });
client.on('error', () => process.exit(1));
await client.connect();
writeFileSync(join(dir, 'url'), server.url, { mode: 0o600 });

for (let idle = 0; idle < IDLE_SECONDS; ) {
  await sleep(1000);
  const { rows } = await client.query<{ clients: number }>(
    `select count(*)::int as clients from pg_stat_activity
     where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name <> 'muster-hub owner'`,
  );
  idle = rows[0]!.clients > 0 ? 0 : idle + 1;
}
rmSync(join(dir, 'url'), { force: true });
await client.end();
await server.stop();
rmSync(dir, { recursive: true, force: true });
