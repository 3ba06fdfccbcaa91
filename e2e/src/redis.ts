import { access, mkdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { delimiter, join } from 'node:path';
import { MusterError } from '@muster/base';
import { freePort } from './ports.ts';
import { type Running, startProcess } from './processes.ts';
import { eventually } from './wait.ts';

/** A redis-server of its own. */
export interface Redis {
  /** For REDIS_URL. */
  readonly url: string;
  readonly port: number;
  readonly process: Running;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts redis-server (from PATH) on a free port of 127.0.0.1, without persistence; its log and working folder are `dir`. */
export async function startRedis({ dir, port }: { dir: string; port?: number }): Promise<Redis> {
  const command = await onPath('redis-server');
  if (!command) {
    throw new MusterError('unavailable', 'redis-server was not found on PATH', {
      hint: 'install it with `apt-get install redis-server`, `dnf install redis` or `brew install redis`',
    });
  }
  await mkdir(dir, { recursive: true });
  const chosen = port ?? (await freePort());
  const args = [
    '--port',
    String(chosen),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    dir,
  ];
  const running = await startProcess({ name: 'redis-server', command, args, log: join(dir, 'redis.log') });
  await eventually(
    async () => {
      if (running.exit()) throw new MusterError('unavailable', `redis-server ended: ${await running.tail()}`);
      return (await ping(chosen)).startsWith('+PONG');
    },
    { what: `redis-server on port ${chosen}`, interval: 20, timeout: 15_000 },
  );
  return {
    url: `redis://127.0.0.1:${chosen}`,
    port: chosen,
    process: running,
    stop: async () => void (await running.stop()),
    kill: async () => void (await running.kill()),
  };
}

/** The path of a program on PATH, or undefined. */
export async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, program);
    if (
      await access(path, 1).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

function ping(port: number): Promise<string> {
  return new Promise((answer, fail) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'));
    socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')));
    socket.once('data', (data) => {
      answer(data.toString());
      socket.destroy();
    });
    socket.once('error', fail);
  });
}
