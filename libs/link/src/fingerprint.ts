import { createHash } from 'node:crypto';
import type { Action, Version } from '@muster/proto/records';

/** One Application as an agent holds it, or as the hub wants it held. */
export interface HeldLine {
  applicationNamespace: string;
  applicationName: string;
  version: Version;
  payloadSha256: Uint8Array;
  action: Action;
}

/**
 * SHA-256 over one line for each Application held, sorted by bytes. Equal fingerprints mean that both sides
 * hold the same signed bytes. docs/link-protocol.md, "Fingerprint".
 */
export function fingerprint(held: Iterable<HeldLine>): Buffer {
  const lines: string[] = [];
  for (const h of held) {
    const sha = Buffer.from(h.payloadSha256).toString('hex');
    lines.push(
      `${h.applicationNamespace}/${h.applicationName} ${h.version.epoch} ${h.version.generation} ${sha} ${h.action}\n`,
    );
  }
  const hash = createHash('sha256');
  for (const line of lines.sort()) hash.update(line);
  return hash.digest();
}
