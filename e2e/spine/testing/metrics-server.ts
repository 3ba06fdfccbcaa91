import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Speaks as much of the HTTP API of Prometheus as gates use. A real one is not built here: its newest release needs a Go module
 * that is not to be had, and earlier ones take longer than all of these tests.
 */
export class MetricsServer {
  /** What every query answers. */
  value = '0';
  readonly queries: string[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      this.queries.push(new URLSearchParams(body).get('query') ?? '');
      const result = [{ metric: { __name__: 'errors', job: 'web' }, value: [0, this.value] }];
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
