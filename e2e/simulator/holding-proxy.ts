import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a test tells it from others. */
export interface Asked {
  method: string;
  path: string;
  body: string;
}

interface Held {
  is(asked: Asked): boolean;
  given(): void;
}

/** Stands before a server, and can keep an answer to itself: the server has done what it was asked, and nobody hears of it. */
export class HoldingProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #target: string;
  #held: Held | undefined;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = target;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (asked, answer) => void this.#pass(asked, answer).catch(() => answer.destroy()));
  }

  /** @param target URL of the server, without a path. */
  static async start(target: string): Promise<HoldingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new HoldingProxy(server, target);
  }

  /** The next such request that succeeds is never answered; resolves when the server has answered it in whole. */
  hold(is: (asked: Asked) => boolean): Promise<void> {
    return new Promise((given) => (this.#held = { is, given }));
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await bodyOf(asked);
    const { method = 'GET', url: path = '/', headers } = asked;
    const heard = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${this.#target}${path}`, { method, headers }, resolve).on('error', reject).end(body);
    });
    const held = this.#held;
    if (held && heard.statusCode! < 300 && held.is({ method, path, body: body.toString('latin1') })) {
      this.#held = undefined;
      await bodyOf(heard);
      return held.given();
    }
    answer.writeHead(heard.statusCode!, heard.headers);
    heard.pipe(answer);
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
