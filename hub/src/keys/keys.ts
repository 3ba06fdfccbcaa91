import { createPublicKey, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { type Domain, rawPublicKey, signRecord, verifyRecord } from '@muster/link';
import type { Signed } from '@muster/proto';
import { CertificateAuthority } from './certificate-authority.ts';
import {
  type KeyMaterial,
  openKeyFolder,
  pem,
  type SealingKeys,
  signingPath,
  writeSecretFile,
} from './key-folder.ts';
import {
  type ActiveKeys,
  decodeKeySet,
  newestKeys,
  nextKeySet,
  type SigningUse,
  signKeySet,
  toSigned,
} from './key-set.ts';

/**
 * The hub's keys, in memory for as long as the process lives. Knows nothing of the database; recovery
 * tells it when signing has to stop.
 */
export class Keys {
  #material: KeyMaterial;
  #halted: string | undefined;
  readonly authority: CertificateAuthority;

  constructor(material: KeyMaterial, authority: CertificateAuthority) {
    this.#material = material;
    this.authority = authority;
  }

  static async open(folder: string, create = true, now: () => number = Date.now): Promise<Keys> {
    const material = await openKeyFolder(folder, create);
    return new Keys(material, await CertificateAuthority.open(material, now));
  }

  get hubId(): string {
    return this.#material.hubId;
  }

  /** Lower-case hex SHA-256 of the CA certificate (DER). */
  get caSha256(): string {
    return this.authority.sha256;
  }

  get rootPublicKey(): Buffer {
    return this.#material.rootPublicKey;
  }

  /** 32 bytes that make made-up passwords and certificates of charts the same each time. */
  get renderSeed(): Buffer {
    return this.#material.renderSeed;
  }

  get sealing(): SealingKeys {
    return this.#material.sealing;
  }

  get keySetVersion(): bigint {
    return decodeKeySet(this.#material.keySet).version;
  }

  /** Ids of the keys that the key set lists. */
  get publishedIds(): string[] {
    return decodeKeySet(this.#material.keySet).keys.map((key) => key.id);
  }

  get active(): ActiveKeys {
    return this.#material.active;
  }

  /** True while a key set is out whose newest keys do not sign yet. */
  get rotating(): boolean {
    const newest = newestKeys(decodeKeySet(this.#material.keySet));
    return newest.assignment !== this.active.assignment || newest.command !== this.active.command;
  }

  /** The current key set, signed by the root key. */
  keySet(): Signed {
    return toSigned(this.#material.keySet);
  }

  /** Why nothing may be signed for now; undefined: signing is allowed again. */
  halt(reason: string | undefined): void {
    this.#halted = reason;
  }

  /**
   * Signs the exact bytes under a domain with the active key of a use.
   * @throws MusterError precondition while the hub is in recovery.
   */
  sign(domain: Domain, payload: Uint8Array, use: SigningUse): Signed {
    if (this.#halted !== undefined) {
      throw new MusterError(
        'precondition',
        `nothing is signed while the hub is in recovery: ${this.#halted}`,
        {
          hint: 'look at GET /api/v1/recovery, then confirm with `muster recover confirm`',
        },
      );
    }
    return this.#signWith(domain, payload, use);
  }

  /** A registration states what the hub knows a cluster as and deploys nothing, so recovery does not stop it. */
  signRegistration(payload: Uint8Array): Signed {
    return this.#signWith('muster.registration.v1', payload, 'assignment');
  }

  /** True when one of our signing keys, past or present, made this signature. */
  isOurs(domain: Domain, signed: Signed): boolean {
    const key = this.#material.signing.get(signed.keyId);
    if (!key) return false;
    try {
      verifyRecord(domain, signed, rawPublicKey(key));
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Makes the next key set: new keys beside the active ones and those `inUse` names. They sign from
   * `activate` on, once agents know them.
   */
  async stageRotation(inUse: Iterable<string>): Promise<bigint> {
    await this.reload();
    const { folder, rootKey, active } = this.#material;
    const keep = new Set([...inUse, active.assignment, active.command]);
    const { keySet, keys } = nextKeySet(decodeKeySet(this.#material.keySet), keep);
    await this.#writable(async () => {
      // Pins what signs now before a newer key is in the set, or the newest would sign at the next start.
      await writeSecretFile(join(folder, 'active.json'), JSON.stringify(active, null, 2));
      for (const [id, key] of keys) await writeSecretFile(signingPath(folder, id), pem(key));
      await writeSecretFile(
        join(folder, 'keyset.json'),
        JSON.stringify(signKeySet(keySet, rootKey), null, 2),
      );
    });
    await this.reload();
    return keySet.version;
  }

  /** From now on the newest keys of the set sign. */
  async activate(): Promise<void> {
    await this.reload();
    const newest = newestKeys(decodeKeySet(this.#material.keySet));
    await this.#writable(() =>
      writeSecretFile(join(this.#material.folder, 'active.json'), JSON.stringify(newest, null, 2)),
    );
    await this.reload();
  }

  /** Reads the folder again, after another replica has changed it. */
  async reload(): Promise<void> {
    const material = await openKeyFolder(this.#material.folder, false);
    if (material.hubId !== this.hubId) {
      throw new MusterError('precondition', 'the keys folder now belongs to another hub', {
        where: material.folder,
      });
    }
    this.#material = material;
  }

  #signWith(domain: Domain, payload: Uint8Array, use: SigningUse): Signed {
    const id = this.#material.active[use];
    return signRecord(domain, payload, this.#material.signing.get(id) as KeyObject, id);
  }

  async #writable(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      if (code !== 'EROFS' && code !== 'EACCES' && code !== 'EPERM') throw cause;
      throw new MusterError(
        'precondition',
        'the keys folder is read-only, so the hub cannot rotate its keys',
        {
          where: this.#material.folder,
          hint: 'mount it writable for the rotation, or put the next keys into its Secret',
          cause,
        },
      );
    }
  }
}

/** A public key in DER (SPKI), to check proofs of possession with. */
export function publicKeyOfSpki(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
}
