import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A page of metrics, as an application has one: values by series. */
export class MetricsPage {
  readonly series = new Map<string, number>();
  readonly #server = createServer((_, response) => {
    const lines = [...this.series].map(([name, value]) => `${name} ${value}\n`);
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(lines.join(''));
  });

  /** Answers its `host:port`. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
