import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
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
  /** URL of the API and the page. */
  http: string;
  /** host:port of sessions and of enrolment. */
  session: string;
  enrol: string;
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
  const earlier = await readPorts(dir);
  const child = await startProcess({
    name: 'hub',
    command: process.execPath,
    args: ['--enable-source-maps', join(root, 'hub/dist/main.mjs')],
    log: join(dir, 'hub.log'),
    env: {
      MUSTER_DATA_DIR: dir,
      // The ports of the last run, so that agents and bookmarks find it again.
      ...earlier,
      MUSTER_WEB_DIR: builtFolder('web/dist'),
      MUSTER_CHARTS_DIR: builtFolder('charts/dist'),
      ...env,
    },
  });
  const gaveUp = child.exited.then(async () => {
    throw new Error(`the hub in ${dir} has ended:\n${await child.tail(20)}`);
  });
  gaveUp.catch(() => undefined); // it also ends later, when it is stopped
  const ready = eventually(
    async () => {
      const now = await readListening(dir, started);
      if (!now) return undefined;
      const answer = await fetch(`${now.http}/readyz`).catch(() => undefined);
      return answer?.ok ? now : undefined;
    },
    { what: `the hub in ${dir} to be ready (its log: ${child.log})`, timeout: 60_000, interval: 50, signal },
  );
  const listening = await Promise.race([ready, gaveUp]);
  await writePorts(dir, listening);
  return {
    dir,
    url: listening.http,
    listening,
    process: child,
    adminPassword:
      env['MUSTER_ADMIN_PASSWORD'] ?? (await readFile(join(dir, 'admin-password'), 'utf8')).trim(),
    startedIn: Date.now() - started,
    stop: async () => void (await child.stop(15_000)),
    kill: async () => void (await child.kill()),
  };
}

/** A folder that the build makes; undefined where it was not built. */
function builtFolder(path: string): string | undefined {
  return existsSync(join(root, path)) ? join(root, path) : undefined;
}

/** The ports of the last run as settings; a hub that stops well takes its own note of them away. */
async function readPorts(dir: string): Promise<Record<string, string>> {
  const text = await readFile(join(dir, 'ports.json'), 'utf8').catch(() => undefined);
  if (text) return JSON.parse(text) as Record<string, string>;
  return { MUSTER_HTTP_PORT: '0', MUSTER_SESSION_PORT: '0', MUSTER_ENROL_PORT: '0' };
}

async function writePorts(dir: string, { http, session, enrol }: Listening): Promise<void> {
  const port = (address: string) => address.slice(address.lastIndexOf(':') + 1);
  const ports = {
    MUSTER_HTTP_PORT: port(http),
    MUSTER_SESSION_PORT: port(session),
    MUSTER_ENROL_PORT: port(enrol),
  };
  await writeFile(join(dir, 'ports.json'), JSON.stringify(ports));
}

/** What the hub wrote since `started`: one that was killed left its note behind. */
async function readListening(dir: string, started: number): Promise<Listening | undefined> {
  const file = join(dir, 'listening.json');
  const written = await stat(file).catch(() => undefined);
  if (!written || written.mtimeMs < started) return undefined;
  return JSON.parse(await readFile(file, 'utf8')) as Listening;
}
