/** A host of repositories for tests: answers by path and query, and remembers what it was asked. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

interface ScmAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface ScmServer {
  url: string;
  /** By `path?query`; what is not there is 404. */
  answers: Record<string, ScmAnswer | unknown[]>;
  asked: { path: string; headers: IncomingMessage['headers'] }[];
  stop(): Promise<void>;
}

export async function startScmServer(): Promise<ScmServer> {
  const asked: ScmServer['asked'] = [];
  const served: Pick<ScmServer, 'answers'> = { answers: {} };
  const server = createServer((request, response) => {
    asked.push({ path: request.url!, headers: request.headers });
    const found = served.answers[request.url!] ?? { status: 404 };
    const { status = 200, headers = {}, body = {} } = Array.isArray(found) ? { body: found } : found;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(served, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
