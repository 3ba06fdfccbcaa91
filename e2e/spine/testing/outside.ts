/** What hears of a hub from outside: a server that it calls, and its Redis. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createConnection, type AddressInfo } from 'node:net';

/** Everything that was heard, one text for each request or piece. */
export interface Heard {
  readonly url: string;
  readonly heard: string[];
  close(): void;
}

/** Takes traces; every other call fails with an answer that quotes what was sent, its credentials among it. */
export async function startOutside(): Promise<Heard> {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('latin1');
      heard.push(`${request.method} ${request.url} ${body}`);
      if (request.url?.startsWith('/v1/')) return void response.end('{}');
      response.statusCode = 500;
      response.end(`cannot serve ${request.headers.authorization ?? ''} with ${body}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard, close };
}

/** Every command that a Redis gets from now on, with its arguments. */
export async function monitorRedis(url: string): Promise<Heard> {
  const heard: string[] = [];
  const socket = createConnection({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.on('data', (data) => void heard.push(data.toString('latin1')));
  await once(socket, 'connect');
  socket.write('MONITOR\r\n');
  return { url, heard, close: () => socket.destroy() };
}
