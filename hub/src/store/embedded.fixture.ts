/** Starts the embedded PostgreSQL of a folder and waits to be killed: for `embedded-postgres.integration.test.ts`. */
import { startEmbeddedPostgres } from './embedded-postgres.ts';

try {
  const server = await startEmbeddedPostgres({ dir: process.argv[2]! });
  console.log(JSON.stringify({ url: server.url, pid: server.pid }));
  process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)));
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
  process.exit(1);
}
