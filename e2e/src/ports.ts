import { createServer } from 'node:net';

// Below the range from which Linux takes the ports of outgoing connections: one of those may not
// sit on a port between its being found free and its server's start.
const first = 20_000;
const last = 32_000;
const given = new Set<number>();

/** Distinct free TCP ports on 127.0.0.1; never the same one twice in a process. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let tries = 0; found.length < count; tries++) {
    if (tries > 1_000) throw new Error(`no free port found between ${first} and ${last}`);
    const port = first + Math.floor(Math.random() * (last - first));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    found.push(port);
  }
  return found;
}

/** One free TCP port on 127.0.0.1. */
export async function freePort(): Promise<number> {
  return (await freePorts(1))[0]!;
}

/** Whether a server could listen on the port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer();
    server.once('error', () => answer(false));
    server.listen(port, '127.0.0.1', () => server.close(() => answer(true)));
  });
}
