import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import type { Hub } from '../src/index.ts';

/** A connection to the embedded database of a hub, past the hub. */
export async function connectDatabase(hub: Pick<Hub, 'dir'>): Promise<Client> {
  const client = new Client({ connectionString: await addressOf(hub) });
  await client.connect();
  return client;
}

/** The same for many who ask at once. */
export async function poolToDatabase(hub: Pick<Hub, 'dir'>): Promise<Pool> {
  const pool = new Pool({ connectionString: await addressOf(hub) });
  // The database may go with its hub: whoever asks next hears of it.
  pool.on('error', () => undefined);
  return pool;
}

async function addressOf(hub: Pick<Hub, 'dir'>): Promise<string> {
  const folder = join(hub.dir, 'postgres');
  const password = (await readFile(join(folder, 'password'), 'utf8')).trim();
  const port = (await readFile(join(folder, 'data/postmaster.pid'), 'utf8')).split('\n')[3];
  return `postgresql://muster:${password}@127.0.0.1:${port}/muster`;
}
