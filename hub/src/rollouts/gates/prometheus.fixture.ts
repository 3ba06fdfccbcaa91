/** A real Prometheus, what it scrapes, and a door before it that keeps what was asked. For tests. */
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';

const tools = pathToFileURL(fileURLToPath(new URL('../../../../tools/prometheus.ts', import.meta.url))).href;

/** What is used of tools/prometheus.ts, which says more. */
export interface Prometheus {
  readonly url: string;
  pause(): void;
  resume(): void;
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

interface Tool {
  startPrometheus(options: {
    scrape?: Record<string, string>;
    prefix?: string;
    web?: Record<string, unknown>;
  }): Promise<Prometheus>;
  prometheusProblem(): Promise<string | undefined>;
}

export async function prometheusTool(): Promise<Tool> {
  return (await import(tools)) as Tool;
}

/** Why none can run here; undefined: one can. */
export async function prometheusProblem(): Promise<string | undefined> {
  return (await prometheusTool()).prometheusProblem();
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** A page of metrics, as an application has one. */
export class MetricsPage {
  /** Values by series: `errors{app="web"}`; what is not there is not published. */
  readonly series = new Map<string, number>();
  readonly #server = createServer((_, response) => {
    const lines = [...this.series].map(([name, value]) => `${name} ${value}\n`);
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(lines.join(''));
  });

  /** Answers its `host:port`. */
  listen(): Promise<string> {
    return listen(this.#server);
  }

  close(): void {
    close(this.#server);
  }
}

/** Stands before a Prometheus as a gateway does: who has no token is turned away, everybody else is passed on. */
export class Gateway {
  readonly asked: { path: string; query: string }[] = [];
  readonly #server: Server;

  constructor(behind: () => string, token: string) {
    this.#server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end('no');
      this.asked.push({ path: request.url!, query: new URLSearchParams(body).get('query') ?? '' });
      const headers = { 'content-type': request.headers['content-type'] ?? '' };
      const answer = await fetch(`${behind()}${request.url}`, { method: 'POST', headers, body }).catch(
        () => undefined,
      );
      if (!answer) return void response.destroy();
      response.writeHead(answer.status).end(await answer.text());
    });
  }

  async listen(): Promise<string> {
    return `http://${await listen(this.#server)}`;
  }

  close(): void {
    close(this.#server);
  }
}
