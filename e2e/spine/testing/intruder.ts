/** What somebody does who has an address, a token or a certificate of the hub, and no agent. */
import 'reflect-metadata'; // the certificate library's container needs it
import { randomUUID, webcrypto } from 'node:crypto';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { KubeClient, SecretStore, kubeAccess } from '@muster/agent/parts';
import {
  AgentServiceClient,
  EnrollmentServiceClient,
  type EnrollResponse,
  type GetBundleResponse,
  type SessionResponse,
} from '@muster/proto';
import { Assignment } from '@muster/proto/records';
import * as x509 from '@peculiar/x509';

/** What an agent is to the hub: stolen from its Secret. */
export interface StolenIdentity {
  privateKey: string;
  ca: string;
  clusterId: string;
  /** PEM, leaf first. */
  certificates: string[];
  kubeSystemUid: string;
}

/** Reads an agent's identity as an administrator of its cluster can. */
export async function stealIdentity(kubeconfig: string): Promise<StolenIdentity> {
  const client = new KubeClient(kubeAccess({ kubeconfig }, false));
  try {
    const record = await new SecretStore(client, 'muster-agent').read('identity');
    const { accepted, ...keys } = JSON.parse(record!.toString());
    return { ...keys, ...accepted };
  } finally {
    await client.close();
  }
}

/** Asks to join with a token and a fresh key. Throws the hub's refusal. */
export async function enroll(address: string, ca: string, token: string): Promise<EnrollResponse> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const crypto = webcrypto as never;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    { name: 'CN=intruder', keys: keys as never, signingAlgorithm: algorithm },
    crypto,
  );
  const client = new EnrollmentServiceClient(address, credentials.createSsl(Buffer.from(ca)));
  const csr = Buffer.from(request.rawData);
  try {
    return await unary((done) =>
      client.enroll({ token, csr, kubeSystemUid: randomUUID(), facts: undefined }, done),
    );
  } finally {
    client.close();
  }
}

/** Talks to the hub as the holder of an agent's key and certificate; without an identity as nobody. */
export class Intruder {
  readonly #client: AgentServiceClient;
  readonly #identity: StolenIdentity;

  constructor(address: string, identity: StolenIdentity, { certificate = true } = {}) {
    this.#identity = identity;
    const { ca, privateKey, certificates } = identity;
    const own = [Buffer.from(privateKey), Buffer.from(certificates.join(''))] as const;
    const tls = credentials.createSsl(Buffer.from(ca), ...(certificate ? own : []));
    this.#client = new AgentServiceClient(address, tls, { 'grpc.use_local_subchannel_pool': 1 });
  }

  /** The bundle's bytes. Throws the hub's refusal. */
  download(digest: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    return new Promise((answer, refuse) => {
      const stream = this.#client.getBundle({ digest, offset: 0n });
      stream.on('data', (chunk: GetBundleResponse) => chunks.push(chunk.data));
      stream.on('error', refuse);
      stream.on('end', () => answer(Buffer.concat(chunks)));
    });
  }

  /** Opens a session that claims to hold nothing; answers the assignments that it is sent until `enough`. */
  assignments(enough: (seen: Assignment[]) => boolean): Promise<Assignment[]> {
    const seen: Assignment[] = [];
    return new Promise((answer, refuse) => {
      const stream = this.#client.session();
      stream.on('error', refuse);
      stream.on('data', ({ message }: SessionResponse) => {
        if (message?.$case === 'inventoryRequest')
          stream.write({ message: { $case: 'inventory', value: { held: [] } } });
        if (message?.$case !== 'assignment') return;
        seen.push(Assignment.decode(message.value.payload));
        if (!enough(seen)) return;
        stream.removeListener('error', refuse);
        stream.on('error', () => undefined); // our own cancel
        stream.cancel();
        answer(seen);
      });
      const { kubeSystemUid } = this.#identity;
      const hello = { protocolVersion: 1, instanceId: randomUUID(), kubeSystemUid, agentVersion: 'intruder' };
      stream.write({
        message: {
          $case: 'hello',
          value: {
            ...hello,
            fingerprint: Buffer.alloc(32),
            highest: undefined,
            keySetVersion: 1n,
            registration: undefined,
            facts: undefined,
            features: [],
          },
        },
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

function unary<T>(call: (done: (error: ServiceError | null, answer: T) => void) => void): Promise<T> {
  return new Promise((answer, refuse) => call((error, value) => (error ? refuse(error) : answer(value))));
}
