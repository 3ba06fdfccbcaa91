import { type KeyObject, createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MusterError } from '@muster/base';

/** `sealing.json` of the keys folder: AES-256 keys by id, and the one that new blobs are sealed with. */
export interface SealingKeys {
  current: string;
  keys: Record<string, string>;
}

const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Authenticated encryption at rest: AES-256-GCM with a random nonce. A blob is
 * `format (1) | key id length (1) | key id | nonce (12) | ciphertext | tag (16)`; the context (table, column and row,
 * for example `repositories/credentials/<id>`) is authenticated, so that a blob moved to another row does not open.
 */
export class Sealer {
  /** Key objects: a cipher made of plain bytes looks at them for longer than it encrypts. */
  readonly #keys = new Map<string, KeyObject>();
  readonly #current: string;

  constructor(keys: SealingKeys) {
    for (const [id, encoded] of Object.entries(keys.keys)) {
      const key = Buffer.from(encoded, 'base64');
      if (key.length !== 32 || id.length === 0 || Buffer.byteLength(id) > 255) {
        throw new MusterError('invalid', `sealing key ${id} is not 32 bytes of base64`, {
          where: 'sealing.json',
        });
      }
      this.#keys.set(id, createSecretKey(key));
    }
    if (!this.#keys.has(keys.current)) {
      throw new MusterError('invalid', `the current sealing key ${keys.current} is not among the keys`, {
        where: 'sealing.json',
      });
    }
    this.#current = keys.current;
  }

  seal(plain: Uint8Array, context: string): Buffer {
    const id = Buffer.from(this.#current);
    const nonce = randomBytes(NONCE_BYTES);
    const header = Buffer.concat([Buffer.from([FORMAT, id.length]), id]);
    const cipher = createCipheriv('aes-256-gcm', this.#keys.get(this.#current)!, nonce);
    cipher.setAAD(Buffer.concat([header, Buffer.from(context)]));
    return Buffer.concat([header, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws MusterError `internal` for a blob of another context, key or content. */
  open(sealed: Uint8Array, context: string): Buffer {
    const blob = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const idLength = blob[1] ?? 0;
    const headerLength = 2 + idLength;
    if (blob[0] !== FORMAT || blob.length < headerLength + NONCE_BYTES + TAG_BYTES) {
      throw new MusterError('internal', 'a sealed value is damaged', { where: context });
    }
    const id = blob.toString('utf8', 2, headerLength);
    const key = this.#keys.get(id);
    if (!key) {
      throw new MusterError('internal', `sealed with key ${id}, which is not configured`, {
        where: context,
        hint: 'Add the key to sealing.json of the keys folder.',
      });
    }
    const body = headerLength + NONCE_BYTES;
    const decipher = createDecipheriv('aes-256-gcm', key, blob.subarray(headerLength, body));
    decipher.setAAD(Buffer.concat([blob.subarray(0, headerLength), Buffer.from(context)]));
    decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(blob.subarray(body, blob.length - TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new MusterError('internal', 'a sealed value does not verify', { where: context, cause });
    }
  }

  /** Whether the blob was sealed with the current key; else it should be sealed again. */
  isCurrent(sealed: Uint8Array): boolean {
    return Buffer.from(sealed).toString('utf8', 2, 2 + (sealed[1] ?? 0)) === this.#current;
  }
}

/** Reads `sealing.json`; makes one (mode 0600) when it is absent and `create` allows it. */
export function loadSealingKeys(keysDir: string, create: boolean): SealingKeys {
  const file = join(keysDir, 'sealing.json');
  if (!existsSync(file)) {
    if (!create) {
      throw new MusterError('invalid', 'sealing.json is missing from the keys folder', {
        where: 'MUSTER_KEYS_DIR',
        hint: 'Restore the keys folder from its backup: without it nothing that is encrypted can be read.',
      });
    }
    mkdirSync(keysDir, { recursive: true, mode: 0o700 });
    const fresh: SealingKeys = { current: 'k1', keys: { k1: randomBytes(32).toString('base64') } };
    writeFileSync(file, `${JSON.stringify(fresh, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  }
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SealingKeys;
  } catch (cause) {
    throw new MusterError('invalid', 'sealing.json is not JSON', { where: 'MUSTER_KEYS_DIR', cause });
  }
}
