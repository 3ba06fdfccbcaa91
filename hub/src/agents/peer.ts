import { createHash } from 'node:crypto';
import { MusterError } from '@muster/base';
import type { ServerDuplexStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { clusterIdFromSubjectAltName } from '../keys/certificate-authority.ts';
import { normalSerial } from '../keys/certificates.ts';

/** Who calls, as TLS has proven it. */
export interface Peer {
  clusterId: string;
  serial: string;
  /** SHA-256 of the certificate's DER. */
  fingerprint: Buffer;
  notBefore: Date;
  notAfter: Date;
}

type Call = Pick<
  | ServerUnaryCall<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>
  | ServerWritableStream<unknown, unknown>,
  'getAuthContext'
>;

/** The identity in the peer's certificate; nothing in a message counts. @throws MusterError unauthenticated. */
export function peerOf(call: Call, nowMs = Date.now()): Peer {
  const certificate = call.getAuthContext()?.sslPeerCertificate;
  const clusterId = clusterIdFromSubjectAltName(certificate?.subjectaltname);
  if (!certificate || !clusterId)
    throw new MusterError('unauthenticated', 'a client certificate of a cluster is needed');
  const notAfter = new Date(certificate.valid_to);
  // A connection may outlive its certificate; a new call may not.
  if (!(notAfter.getTime() > nowMs))
    throw new MusterError('unauthenticated', 'the certificate has expired: renew it');
  return {
    clusterId,
    serial: normalSerial(certificate.serialNumber),
    fingerprint: createHash('sha256').update(certificate.raw).digest(),
    notBefore: new Date(certificate.valid_from),
    notAfter,
  };
}
