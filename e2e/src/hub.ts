import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Running, startProcess } from './processes.ts';
import { eventually } from './wait.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface HubOptions {
  /** Its data folder; the same folder starts again with its database and keys. */
  dir: string;
  /** Settings on top of those that keep it on free ports of this machine; undefined removes one. */
  env?: Record<string, string | undefined>;
  signal?: AbortSignal;
}

/** What `<data>/listening.json` says. */
export interface Listening {
  http: number;
  session: number;
  enrol: number;
  publicUrl: string;
  caSha256: string;
}

/** A hub as a process of its own, from its bundle. */
export interface Hub {
  readonly dir: string;
  readonly url: string;
  readonly listening: Listening;
  readonly process: Running;
  /** Password of the account `admin`. */
  readonly adminPassword: string;
  /** Milliseconds from the call to ready. */
  readonly startedIn: number;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts a hub and waits until it is ready. Throws with the end of its log when it ends early. */
export async function startHub({ dir: given, env = {}, signal }: HubOptions): Promise<Hub> {
  const started = Date.now();
  const dir = resolve(given);
  const earlier = await readListening(dir);
  const child = await startProcess({
    name: 'hub',
    command: process.execPath,
    args: ['--enable-source-maps', join(root, 'hub/dist/main.mjs')],
    log: join(dir, 'hub.log'),
    env: {
      MUSTER_DATA_DIR: dir,
      // The ports of the last run, so that agents and bookmarks find it again.
      MUSTER_HTTP_PORT: String(earlier?.http ?? 0),
      MUSTER_SESSION_PORT: String(earlier?.session ?? 0),
      MUSTER_ENROL_PORT: String(earlier?.enrol ?? 0),
      MUSTER_WEB_DIR: join(root, 'web/dist'),
      ...env,
    },
  });
  const listening = await eventually(
    async () => {
      if (child.exit()) throw new Error(`the hub has ended:\n${await child.tail(20)}`);
      const now = await readListening(dir);
      if (!now) return undefined;
      const ready = await fetch(`http://127.0.0.1:${now.http}/readyz`).catch(() => undefined);
      return ready?.ok ? now : undefined;
    },
    { what: `the hub in ${dir} to be ready (its log: ${child.log})`, timeout: 60_000, interval: 50, signal },
  );
  return {
    dir,
    url: `http://127.0.0.1:${listening.http}`,
    listening,
    process: child,
    adminPassword:
      env['MUSTER_ADMIN_PASSWORD'] ?? (await readFile(join(dir, 'admin-password'), 'utf8')).trim(),
    startedIn: Date.now() - started,
    stop: async () => void (await child.stop(15_000)),
    kill: async () => void (await child.kill()),
  };
}

async function readListening(dir: string): Promise<Listening | undefined> {
  const text = await readFile(join(dir, 'listening.json'), 'utf8').catch(() => undefined);
  return text ? (JSON.parse(text) as Listening) : undefined;
}
