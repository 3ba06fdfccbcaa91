import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ControlPlane } from '../../src/index.ts';
import { writeKubeconfig } from '../../src/control-plane.ts';
import { ensurePki } from '../../src/pki.ts';

/** One request that went through. */
export interface Proxied {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Bytes of the answer so far. */
  bytes: number;
}

/** Stands between an agent and its API server, as the administrator, and keeps count. */
export interface ApiProxy {
  readonly kubeconfig: string;
  readonly requests: Proxied[];
  close(): void;
}

/** Starts one in front of a control plane; its kubeconfig is written into `dir`. */
export async function startApiProxy(plane: ControlPlane, dir: string): Promise<ApiProxy> {
  const requests: Proxied[] = [];
  const { serverCert, serverKey } = await ensurePki(join(plane.dir, 'pki'), { dns: [], ips: [] });
  const [cert, key] = await Promise.all([serverCert, serverKey].map((file) => readFile(file)));
  const server = createServer({ cert, key }, (incoming, answer) =>
    forward(plane, requests, incoming, answer),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const kubeconfig = join(dir, 'proxy.kubeconfig');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeKubeconfig(kubeconfig, 'proxy', { server: url, ca: plane.access.ca });
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { kubeconfig, requests, close };
}

function forward(
  { access }: ControlPlane,
  requests: Proxied[],
  incoming: IncomingMessage,
  answer: ServerResponse,
): void {
  const url = new URL(incoming.url ?? '/', access.server);
  const proxied: Proxied = {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    bytes: 0,
  };
  requests.push(proxied);
  const { ca, cert, key } = access;
  const { method, headers } = incoming;
  const outgoing = request(url, { method, headers: { ...headers, host: url.host }, ca, cert, key }, (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.on('data', (chunk: Buffer) => (proxied.bytes += chunk.length));
    got.pipe(answer);
    got.on('error', () => answer.destroy());
  });
  outgoing.on('error', () => answer.destroy());
  answer.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}
