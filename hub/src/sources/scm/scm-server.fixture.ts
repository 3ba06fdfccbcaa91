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
  /** By `path?query`, what changes something by `METHOD path`; what is not there is 404. */
  answers: Record<string, ScmAnswer | unknown[]>;
  asked: { method: string; path: string; headers: IncomingMessage['headers']; body?: unknown }[];
  stop(): Promise<void>;
}

export async function startScmServer(): Promise<ScmServer> {
  const asked: ScmServer['asked'] = [];
  const served: Pick<ScmServer, 'answers'> = { answers: {} };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const method = request.method!;
    const sent = Buffer.concat(chunks).toString('utf8');
    asked.push({
      method,
      path: request.url!,
      headers: request.headers,
      ...(sent ? { body: JSON.parse(sent) as unknown } : {}),
    });
    const key = method === 'GET' ? request.url! : `${method} ${request.url!}`;
    const found = served.answers[key] ?? { status: 404 };
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
