import { X509Certificate, createPrivateKey, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError, sha256 } from '@muster/base';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { IdentityRecord, Records } from '../state/records.ts';
import { certificateRequest, newKey } from './certificate-request.ts';
import { agentClient, enrolmentClient, unary } from './channel.ts';
import { checkedChain } from './enrolment.ts';

export interface RenewalOptions {
  config: Config;
  records: Records;
  identity(): IdentityRecord;
  /** Called after the new certificate is stored; open streams stay on the old one. */
  renewed(identity: IdentityRecord): void;
  log: Log;
  signal: AbortSignal;
}

/** Longest wait of a timer; certificates may live longer. */
const MAX_WAIT_MS = 6 * 3_600_000;

/** Renews the certificate at two thirds of its life, with a new key, until the signal ends it. */
export async function keepRenewed(options: RenewalOptions): Promise<void> {
  const { log, signal } = options;
  for (let failures = 0; !signal.aborted; ) {
    const wait = renewalDue(options.identity(), Date.now());
    const pause = failures > 0 ? Math.min(1_000 * 2 ** failures, 300_000) * (0.5 + Math.random() / 2) : wait;
    await sleep(Math.min(pause, MAX_WAIT_MS), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    if (renewalDue(options.identity(), Date.now()) > 0) continue;
    try {
      const renewed = await renew(options);
      failures = 0;
      options.renewed(renewed);
      log.info({ validTo: leafOf(renewed).validTo }, 'certificate renewed');
    } catch (thrown) {
      failures++;
      log.warn(
        { error: MusterError.from(thrown).describe(), failures },
        'the certificate could not be renewed',
      );
    }
  }
}

/** Milliseconds until the certificate should be renewed; 0 when it is time. */
export function renewalDue(identity: IdentityRecord, nowMs: number): number {
  const leaf = leafOf(identity);
  const from = Date.parse(leaf.validFrom);
  const to = Date.parse(leaf.validTo);
  return Math.max(0, from + ((to - from) * 2) / 3 - nowMs);
}

async function renew({ config, records, identity, signal }: RenewalOptions): Promise<IdentityRecord> {
  const old = identity();
  const leaf = leafOf(old);
  const key = newKey();
  const csr = certificateRequest(key);
  const expired = Date.parse(leaf.validTo) <= Date.now();
  const client = expired ? enrolmentClient(config.enrol, old.ca) : agentClient(config.hub, old);
  try {
    const answer =
      'renew' in client
        ? await unary(client.renew.bind(client), { csr }, signal)
        : await unary(client.renewExpired.bind(client), proofOfExpired(old, leaf, csr), signal);
    const next = { ...old, privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
    const certificates = checkedChain(next, answer.certificateChain);
    const complete = { ...next, accepted: { ...old.accepted!, certificates } };
    await records.saveIdentity(complete);
    return complete;
  } finally {
    client.close();
  }
}

function proofOfExpired(identity: IdentityRecord, leaf: X509Certificate, csr: Buffer) {
  const timeMs = BigInt(Date.now());
  const text = `muster.renew-expired.v1\n${sha256(csr)}\n${timeMs}`;
  const proof = sign('sha256', Buffer.from(text), createPrivateKey(identity.privateKey));
  return { certificate: leaf.raw, csr, timeMs, proof };
}

function leafOf(identity: IdentityRecord): X509Certificate {
  return new X509Certificate(identity.accepted!.certificates[0]!);
}
