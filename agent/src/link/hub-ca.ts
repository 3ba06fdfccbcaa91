import { X509Certificate, createHash, timingSafeEqual } from 'node:crypto';
import { connect } from 'node:tls';
import { MusterError } from '@muster/base';

/**
 * Connects to the hub only to read the certificates that it shows, and answers the CA among them whose SHA-256 is
 * the pinned one, as PEM. Nothing is sent. Throws MusterError `forbidden` when none of them is.
 */
export async function fetchPinnedCa(address: string, sha256: string, signal: AbortSignal): Promise<string> {
  const chain = await fetchChain(address, signal);
  const pinned = Buffer.from(sha256, 'hex');
  const ca = chain.find((der) => timingSafeEqual(createHash('sha256').update(der).digest(), pinned));
  if (!ca) {
    throw new MusterError('forbidden', 'the hub at this address does not show the pinned CA', {
      where: address,
      hint: 'check MUSTER_AGENT_CA_SHA256 against the install command, and that nothing intercepts the connection',
    });
  }
  const certificate = new X509Certificate(ca);
  if (!certificate.ca)
    throw new MusterError('forbidden', 'the pinned certificate is not a CA', { where: address });
  return certificate.toString();
}

function fetchChain(address: string, signal: AbortSignal): Promise<Buffer[]> {
  const { host, port } = splitAddress(address);
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.destroy();
      reject(
        new MusterError('unavailable', `the hub cannot be reached: ${error.message}`, {
          where: address,
          cause: error,
        }),
      );
    };
    // Not verified here: that is what the pin is for, and the real connection trusts that CA alone.
    const socket = connect({
      host,
      port,
      servername: serverName(host),
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    socket.setTimeout(15_000, () => fail(new Error('no answer within 15 s')));
    signal.addEventListener('abort', () => fail(new Error('stopped')), { once: true });
    socket.on('error', fail);
    socket.once('secureConnect', () => {
      const chain: Buffer[] = [];
      const seen = new Set<string>();
      for (let each = socket.getPeerCertificate(true); each?.raw && !seen.has(each.fingerprint256); ) {
        seen.add(each.fingerprint256);
        chain.push(each.raw);
        each = each.issuerCertificate;
      }
      socket.destroy();
      resolve(chain);
    });
  });
}

/** Splits "host:port" and "[v6]:port". */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(colon + 1)) };
}

/** Server name indication holds names only. */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? '' : host;
}
