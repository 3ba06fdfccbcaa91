import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { rawPublicKey } from '@muster/link';
import { createCa } from './certificates.ts';
import { type ActiveKeys, activeKeysOf, initialKeySet, type StoredSigned, signKeySet } from './key-set.ts';

/** AES-256 keys for columns at rest: base64, by id, and the id that seals now. */
export interface SealingKeys {
  current: string;
  keys: Record<string, string>;
}

/** All the secrets of a hub, as the keys folder holds them. Never in PostgreSQL, never in Redis, never logged. */
export interface KeyMaterial {
  folder: string;
  hubId: string;
  caCertificate: string;
  caKey: string;
  rootKey: KeyObject;
  /** Raw 32 bytes. */
  rootPublicKey: Buffer;
  keySet: StoredSigned;
  active: ActiveKeys;
  signing: Map<string, KeyObject>;
  sealing: SealingKeys;
  renderSeed: Buffer;
}

/** What agents pinned; all of it or none. */
const TRUST = ['ca.crt', 'ca.key', 'root.key', 'keyset.json'];
const FILES = [...TRUST, 'sealing.json', 'render-seed.key'];

/**
 * Reads the keys folder, filled first (if `create`) when it holds nothing that agents trust (folder 0700, files 0600).
 * A folder that holds some of it and not the rest is an error: making up the rest would
 * orphan every agent, or leave sealed columns unreadable.
 */
export async function openKeyFolder(folder: string, create = true): Promise<KeyMaterial> {
  if (create) await mkdir(folder, { recursive: true, mode: 0o700 });
  const present = new Set(await readdir(folder).catch(() => [] as string[]));
  if (create && !TRUST.some((file) => present.has(file))) await fillFolder(folder, present);
  else refuseIncomplete(folder, present);
  return readFolder(folder);
}

/** The hub's name for agents: survives the loss of the database because it hangs on the root key alone. */
export function hubIdOf(rootPublicKey: Uint8Array): string {
  return createHash('sha256').update(rootPublicKey).digest('hex').slice(0, 32);
}

/** Writes a secret so that a crash leaves the old file or the new one, never half of it. */
export async function writeSecretFile(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

function refuseIncomplete(folder: string, present: Set<string>): void {
  const missing = FILES.filter((file) => !present.has(file));
  if (missing.length === 0) return;
  throw new MusterError('precondition', `the keys folder lacks ${missing.join(', ')}`, {
    where: folder,
    hint: 'restore the whole folder from its backup; only an empty folder, not named by MUSTER_KEYS_DIR for a shared database, is filled with new keys',
  });
}

async function fillFolder(folder: string, present: Set<string>): Promise<void> {
  await chmod(folder, 0o700);
  await mkdir(join(folder, 'signing'), { recursive: true, mode: 0o700 });
  const root = generateKeyPairSync('ed25519').privateKey;
  const hubId = hubIdOf(rawPublicKey(root));
  const { keySet, keys } = initialKeySet(hubId);
  const ca = await createCa(hubId);
  for (const [id, key] of keys) await writeSecretFile(signingPath(folder, id), pem(key));
  await writeSecretFile(join(folder, 'root.key'), pem(root));
  await writeSecretFile(join(folder, 'ca.key'), ca.key);
  await writeSecretFile(join(folder, 'ca.crt'), ca.certificate);
  if (!present.has('sealing.json')) {
    const sealing: SealingKeys = { current: 'k1', keys: { k1: randomBytes(32).toString('base64') } };
    await writeSecretFile(join(folder, 'sealing.json'), JSON.stringify(sealing, null, 2));
  }
  if (!present.has('render-seed.key'))
    await writeSecretFile(join(folder, 'render-seed.key'), randomBytes(32));
  await writeSecretFile(join(folder, 'keyset.json'), JSON.stringify(signKeySet(keySet, root), null, 2));
}

async function readFolder(folder: string): Promise<KeyMaterial> {
  await refuseReadableByOthers(join(folder, 'root.key'));
  const rootKey = createPrivateKey(await readFile(join(folder, 'root.key')));
  const rootPublicKey = rawPublicKey(rootKey);
  const keySet = JSON.parse(await readFile(join(folder, 'keyset.json'), 'utf8')) as StoredSigned;
  const signing = new Map<string, KeyObject>();
  for (const file of await readdir(join(folder, 'signing'))) {
    if (!file.endsWith('.key')) continue;
    signing.set(
      file.slice(0, -'.key'.length),
      createPrivateKey(await readFile(join(folder, 'signing', file))),
    );
  }
  const renderSeed = await readFile(join(folder, 'render-seed.key'));
  if (renderSeed.length !== 32)
    throw new MusterError('invalid', 'render-seed.key must be 32 bytes', { where: folder });
  return {
    folder,
    hubId: hubIdOf(rootPublicKey),
    caCertificate: await readFile(join(folder, 'ca.crt'), 'utf8'),
    caKey: await readFile(join(folder, 'ca.key'), 'utf8'),
    rootKey,
    rootPublicKey,
    keySet,
    active: activeKeysOf(keySet, await readActive(folder), signing),
    signing,
    sealing: JSON.parse(await readFile(join(folder, 'sealing.json'), 'utf8')) as SealingKeys,
    renderSeed,
  };
}

/** Which keys sign now; without the file the newest of each use, which is what a new folder means. */
async function readActive(folder: string): Promise<ActiveKeys | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, 'active.json'), 'utf8')) as ActiveKeys;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A Secret mounted with an fsGroup is group readable; readable by everyone is a mistake worth stopping for. */
async function refuseReadableByOthers(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o007) === 0) return;
  throw new MusterError('precondition', 'the key is accessible to every user of this machine', {
    where: path,
    hint: `chmod 600 ${path}`,
  });
}

export function signingPath(folder: string, id: string): string {
  return join(folder, 'signing', `${id}.key`);
}

export function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}
