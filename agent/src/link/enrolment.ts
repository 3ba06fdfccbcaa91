import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { X509Certificate, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { MusterError } from '@muster/base';
import { TrustStore } from '@muster/link';
import { EnrollmentState, type Identity } from '@muster/proto';
import type { Facts } from '@muster/proto/records';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { IdentityRecord, Records } from '../state/records.ts';
import { certificateRequest, newKey, pem } from './certificate-request.ts';
import { enrolmentClient, unary } from './channel.ts';
import { fetchPinnedCa } from './hub-ca.ts';

type JoinSettings = Pick<Config, 'enrol' | 'caSha256' | 'token' | 'tokenFile'>;

export interface EnrolmentOptions {
  config: JoinSettings;
  records: Records;
  kubeSystemUid: string;
  facts(): Promise<Facts>;
  log: Log;
  signal: AbortSignal;
}

type Answer = {
  state: EnrollmentState;
  identity: Identity | undefined;
  message: string;
  retryAfterSeconds: number;
};

/**
 * Joins the hub with the join token and waits until it is approved. Resumes a request that was made before. The
 * key is made and stored here first, so that repeating is harmless. Throws MusterError when the hub refuses.
 */
export async function enrol(options: EnrolmentOptions): Promise<IdentityRecord> {
  const { config, records, log, signal } = options;
  needed(config.enrol, 'MUSTER_AGENT_ENROL');
  needed(config.caSha256, 'MUSTER_AGENT_CA_SHA256');
  let identity = await records.identity();
  if (!identity) {
    const ca = await patiently(options, () => fetchPinnedCa(config.enrol, config.caSha256, signal));
    identity = { privateKey: newKey().export({ type: 'pkcs8', format: 'pem' }).toString(), ca };
    await records.saveIdentity(identity);
  }
  for (let waits = 0; ; waits++) {
    const answer = await patiently(options, () => ask(options, identity));
    switch (answer.state) {
      case EnrollmentState.APPROVED: {
        const accepted = await accept(options, identity, answer.identity);
        log.info({ cluster: accepted.accepted?.clusterName }, 'enrolled');
        return accepted;
      }
      case EnrollmentState.REFUSED:
        throw new MusterError('forbidden', `the hub refused this cluster: ${answer.message}`);
      default:
        if (waits === 0) log.info({ message: answer.message }, 'waiting for approval at the hub');
        await sleep(Math.max(answer.retryAfterSeconds, 1) * 1_000, undefined, { signal });
    }
  }
}

async function ask(options: EnrolmentOptions, identity: IdentityRecord): Promise<Answer> {
  const { config, records, kubeSystemUid, facts, signal } = options;
  const client = enrolmentClient(config.enrol, identity.ca);
  const key = createPrivateKey(identity.privateKey);
  try {
    if (identity.enrollmentId) {
      const enrollmentId = identity.enrollmentId;
      const timeMs = BigInt(Date.now());
      const proof = sign(
        'sha256',
        Buffer.from(`muster.enrollment-proof.v1\n${enrollmentId}\n${timeMs}`),
        key,
      );
      try {
        return await unary(client.getEnrollment.bind(client), { enrollmentId, timeMs, proof }, signal);
      } catch (thrown) {
        // The hub has forgotten the request: the token, if it is still good, makes a new one.
        if (MusterError.from(thrown).code !== 'not-found') throw thrown;
        identity.enrollmentId = undefined;
      }
    }
    const token = await readToken(config);
    const request = { token, csr: certificateRequest(key), kubeSystemUid, facts: await facts() };
    const answer = await unary(client.enroll.bind(client), request, signal);
    identity.enrollmentId = answer.enrollmentId;
    await records.saveIdentity(identity);
    return answer;
  } finally {
    client.close();
  }
}

/** Checks all that the hub handed over before any of it is kept. */
async function accept(
  { records, kubeSystemUid }: EnrolmentOptions,
  identity: IdentityRecord,
  offered: Identity | undefined,
): Promise<IdentityRecord> {
  if (!offered?.keySet) throw new MusterError('invalid', 'the hub approved this cluster without an identity');
  const certificates = checkedChain(identity, offered.certificateChain);
  const { hubId, clusterId, clusterName, rootPublicKey } = offered;
  const trust = new TrustStore({ hubId, clusterId, rootPublicKey }, offered.keySet);
  const refused = offered.registration && trust.acceptRegistration(offered.registration);
  if (refused) throw new MusterError('forbidden', `the registration of the hub is refused: ${refused}`);
  await records.saveTrust(offered.keySet, offered.registration);
  const accepted = {
    hubId,
    clusterId,
    clusterName,
    certificates,
    rootPublicKey: rootPublicKey.toString('base64'),
    kubeSystemUid,
  };
  const complete = { ...identity, accepted };
  await records.saveIdentity(complete);
  return complete;
}

/** PEM of a chain whose leaf is for this agent's key and is signed by the pinned CA. Throws MusterError. */
export function checkedChain(identity: IdentityRecord, chain: readonly Buffer[]): string[] {
  const leaf = chain[0] && new X509Certificate(chain[0]);
  const ca = new X509Certificate(identity.ca);
  if (!leaf?.verify(ca.publicKey)) {
    throw new MusterError('forbidden', 'the certificate that the hub issued is not signed by its pinned CA');
  }
  if (!leaf.publicKey.equals(createPublicKey(identity.privateKey))) {
    throw new MusterError('forbidden', 'the certificate that the hub issued is for another key');
  }
  return chain.map(pem);
}

/** Tries again while the hub cannot be reached; what it refuses ends the attempt. */
async function patiently<T>({ log, signal }: EnrolmentOptions, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt();
    } catch (thrown) {
      signal.throwIfAborted();
      const error = MusterError.from(thrown);
      if (error.code !== 'unavailable' && error.code !== 'limit') throw error;
      if (failures % 10 === 0)
        log.warn({ error: error.describe() }, 'the hub cannot be reached for enrolment');
      const pause = Math.min(500 * 2 ** failures, 30_000) * (0.5 + Math.random() / 2);
      await sleep(pause, undefined, { signal });
    }
  }
}

async function readToken(config: JoinSettings): Promise<string> {
  if (config.token) return config.token;
  needed(config.tokenFile, 'MUSTER_AGENT_TOKEN');
  try {
    return (await readFile(config.tokenFile, 'utf8')).trim();
  } catch (thrown) {
    const reason = (thrown as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new MusterError('invalid', `the join token cannot be read (${reason})`, {
      where: config.tokenFile,
    });
  }
}

function needed(value: string, name: string): void {
  if (value) return;
  throw new MusterError('invalid', 'is not set, and this agent has not joined a hub yet', {
    where: name,
    hint: 'take it from the install command that the hub prints with a join token',
  });
}
