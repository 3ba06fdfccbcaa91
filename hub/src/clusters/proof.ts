import { verify } from 'node:crypto';
import { MusterError } from '@muster/base';
import { publicKeyOfSpki } from '../keys/keys.ts';

const MAX_SKEW_MS = 5 * 60_000;

/**
 * Checks that whoever sends holds the private key: ECDSA with SHA-256 (DER) over the text, made within five minutes.
 * @throws MusterError unauthenticated.
 */
export function requireProof(
  spki: Uint8Array,
  text: string,
  timeMs: bigint,
  proof: Uint8Array,
  nowMs: number,
): void {
  const skew = Math.abs(Number(timeMs) - nowMs);
  if (!(skew <= MAX_SKEW_MS)) {
    throw new MusterError(
      'unauthenticated',
      `the clocks of the agent and the hub are ${Math.round(skew / 1000)} s apart`,
      {
        hint: 'at most five minutes are accepted: check the time of both machines',
      },
    );
  }
  let holds = false;
  try {
    holds = verify('sha256', Buffer.from(text), publicKeyOfSpki(spki), proof);
  } catch {
    // A signature that cannot even be parsed proves nothing.
  }
  if (!holds) throw new MusterError('unauthenticated', 'the proof of possession does not match the key');
}
