import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Hub } from '../src/index.ts';

/** A connection to the embedded database of a hub, past the hub. */
export async function connectDatabase(hub: Pick<Hub, 'dir'>): Promise<Client> {
  const folder = join(hub.dir, 'postgres');
  const password = (await readFile(join(folder, 'password'), 'utf8')).trim();
  const port = (await readFile(join(folder, 'data/postmaster.pid'), 'utf8')).split('\n')[3];
  const client = new Client({ connectionString: `postgresql://muster:${password}@127.0.0.1:${port}/muster` });
  await client.connect();
  return client;
}
