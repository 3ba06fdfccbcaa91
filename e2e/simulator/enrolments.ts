import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HubClient } from '@muster/api/client';
import { Records, enrol, fetchPinnedCa, newKey } from '@muster/agent/link';
import { pino } from 'pino';
import { MemoryStore } from './memory-store.ts';
import { FACTS } from './simulated-agent.ts';

const AT_ONCE = 8;

/** How agents get to a hub, as a join token says it. */
interface Gateway {
  enrol: string;
  caSha256: string;
}

export interface EnrolOptions {
  client: HubClient;
  gateway: Gateway;
  /** Labels by cluster. */
  clusters: ReadonlyMap<string, Record<string, string>>;
  /** File that keeps identities, keys among them; undefined: they are gone with this process. */
  cache: string | undefined;
  signal: AbortSignal;
  progress(done: number, of: number): void;
}

/** `kube-system` of a simulated cluster: the same in each run. */
export function uidOf(cluster: string): string {
  const hex = createHash('sha256').update(`muster simulator ${cluster}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The records of each agent, enrolled; those in the cache are not enrolled again. */
export async function enrolAll(options: EnrolOptions): Promise<Map<string, MemoryStore>> {
  const { gateway, clusters, cache, signal, progress } = options;
  const known = await readCache(cache, gateway.caSha256);
  const stores = new Map<string, MemoryStore>();
  for (const name of clusters.keys()) if (known[name]) stores.set(name, new MemoryStore(known[name]));
  const missing = [...clusters.keys()].filter((name) => !stores.has(name));
  if (missing.length === 0) return stores;
  const ca = await fetchPinnedCa(gateway.enrol, gateway.caSha256, signal);
  let done = stores.size;
  const line = missing.values();
  const worker = async () => {
    for (const name of line) {
      stores.set(name, await enrolOne(options, name, ca));
      progress(++done, clusters.size);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await save(cache, gateway.caSha256, stores);
  return stores;
}

/** Keeps what the agents hold now, so that a later run goes on with it. */
export async function save(
  cache: string | undefined,
  caSha256: string,
  stores: ReadonlyMap<string, MemoryStore>,
): Promise<void> {
  if (!cache) return;
  const records = Object.fromEntries([...stores].map(([name, store]) => [name, store.dump()]));
  await mkdir(dirname(cache), { recursive: true });
  await writeFile(`${cache}.new`, JSON.stringify({ caSha256, records }), { mode: 0o600 });
  await rename(`${cache}.new`, cache);
}

/** The agent's own enrolment, with a token that is good for this cluster, once. */
async function enrolOne(
  { client, gateway, clusters, signal }: EnrolOptions,
  name: string,
  ca: string,
): Promise<MemoryStore> {
  const { token } = await client.joinTokens.create({
    name,
    labels: clusters.get(name)!,
    autoApprove: true,
    maxUses: 1,
    expiresInSeconds: 3_600,
  } as Parameters<typeof client.joinTokens.create>[0]);
  const store = new MemoryStore();
  const records = new Records(store);
  const privateKey = newKey().export({ type: 'pkcs8', format: 'pem' }).toString();
  await records.saveIdentity({ privateKey, ca });
  await enrol({
    config: { ...gateway, token, tokenFile: '' },
    records,
    kubeSystemUid: uidOf(name),
    facts: async () => FACTS,
    log: pino({ level: 'silent' }),
    signal,
  });
  return store;
}

/** What an earlier run kept for the same hub. */
async function readCache(
  cache: string | undefined,
  caSha256: string,
): Promise<Record<string, Record<string, string>>> {
  const text = cache && (await readFile(cache, 'utf8').catch(() => undefined));
  if (!text) return {};
  const kept = JSON.parse(text) as { caSha256: string; records: Record<string, Record<string, string>> };
  return kept.caSha256 === caSha256 ? kept.records : {};
}
