import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { MusterError } from '@muster/base';
import { rawPublicKey, signRecord } from '@muster/link';
import { KeySet, KeyUse, type Signed } from '@muster/proto';

/** A Signed record as the keys folder holds it: base64 fields. */
export interface StoredSigned {
  payload: string;
  signature: string;
  keyId: string;
}

export type SigningUse = 'assignment' | 'command';

/** The key of each use that signs now; the key set may already hold its successor. */
export type ActiveKeys = Record<SigningUse, string>;

const USES: SigningUse[] = ['assignment', 'command'];
const WIRE_USE: Record<SigningUse, KeyUse> = { assignment: KeyUse.ASSIGNMENT, command: KeyUse.COMMAND };

export const KEY_SET_DOMAIN = 'muster.keyset.v1';

/** A first key set, version 1, with one new key of each use. */
export function initialKeySet(hubId: string): { keySet: KeySet; keys: Map<string, KeyObject> } {
  return extend({ hubId, version: 0n, keys: [] });
}

/** The next version of a key set: those of its keys that `keep` names, and one new key of each use. */
export function nextKeySet(
  current: KeySet,
  keep: Set<string>,
): { keySet: KeySet; keys: Map<string, KeyObject> } {
  return extend({ ...current, keys: current.keys.filter((key) => keep.has(key.id)) });
}

function extend(current: KeySet): { keySet: KeySet; keys: Map<string, KeyObject> } {
  const version = current.version + 1n;
  const keys = new Map<string, KeyObject>();
  const added = USES.map((use) => {
    const pair = generateKeyPairSync('ed25519');
    const id = `${use}-${version}`;
    keys.set(id, pair.privateKey);
    return { id, use: WIRE_USE[use], publicKey: rawPublicKey(pair.publicKey) };
  });
  return { keySet: { hubId: current.hubId, version, keys: [...current.keys, ...added] }, keys };
}

export function signKeySet(keySet: KeySet, root: KeyObject): StoredSigned {
  const signed = signRecord(KEY_SET_DOMAIN, KeySet.encode(keySet).finish(), root, 'root');
  return {
    payload: Buffer.from(signed.payload).toString('base64'),
    signature: Buffer.from(signed.signature).toString('base64'),
    keyId: signed.keyId,
  };
}

export function toSigned(stored: StoredSigned): Signed {
  return {
    payload: Buffer.from(stored.payload, 'base64'),
    signature: Buffer.from(stored.signature, 'base64'),
    keyId: stored.keyId,
  };
}

export function decodeKeySet(stored: StoredSigned): KeySet {
  return KeySet.decode(Buffer.from(stored.payload, 'base64'));
}

/** The newest key of each use in a key set. */
export function newestKeys(keySet: KeySet): ActiveKeys {
  const newest = (use: SigningUse): string => {
    const key = keySet.keys.filter((each) => each.use === WIRE_USE[use]).at(-1);
    if (!key)
      throw new MusterError('invalid', `the key set holds no key for ${use}s`, { where: 'keyset.json' });
    return key.id;
  };
  return { assignment: newest('assignment'), command: newest('command') };
}

/** Checks that what should sign can sign: each active key is in the key set and its private half is at hand. */
export function activeKeysOf(
  stored: StoredSigned,
  chosen: ActiveKeys | undefined,
  signing: ReadonlyMap<string, KeyObject>,
): ActiveKeys {
  const keySet = decodeKeySet(stored);
  const active = chosen ?? newestKeys(keySet);
  for (const use of USES) {
    const id = active[use];
    const listed = keySet.keys.find((key) => key.id === id && key.use === WIRE_USE[use]);
    const key = signing.get(id);
    if (!listed || !key || !rawPublicKey(key).equals(listed.publicKey)) {
      throw new MusterError(
        'precondition',
        `the ${use} key ${id} is not in the key set with this private key`,
        {
          where: `signing/${id}.key`,
          hint: 'restore the whole keys folder from one backup',
        },
      );
    }
  }
  return active;
}
