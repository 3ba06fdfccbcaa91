import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { closeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import pg from 'pg';
import { type Account, postgresBinaries, unprivilegedAccount } from './postgres-binaries.ts';

const USER = 'muster';
const DATABASE = 'muster';
/** Advisory lock held by the hub that uses an embedded server. */
const OWNER_LOCK = 7_305_511;
const START_DEADLINE_MS = 60_000;

export interface EmbeddedPostgresOptions {
  /** Holds `data/`, `password` (mode 0600) and `postgres.log`. */
  dir: string;
  /** Tests trade durability for speed. */
  durable?: boolean;
  /** Connections that it takes at once; default 200: a hub needs some 50. */
  maxConnections?: number;
  /** Called when the server ended by itself and cannot be used any more. */
  onLost?: (error: Error) => void;
}

/** A running PostgreSQL server of our own. */
export interface EmbeddedPostgres {
  url: string;
  pid: number;
  /** Fast shutdown; resolves when the server has ended. */
  stop(): Promise<void>;
}

/**
 * Starts the server of a folder, making its cluster on the first call. A server that a killed hub left behind is
 * taken over when it answers and is stopped when it does not; one that another hub uses is refused (`conflict`).
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dir } = options;
  const data = join(dir, 'data');
  const binaries = await postgresBinaries();
  const account = unprivilegedAccount([join(data, 'PG_VERSION'), binaries.postgres]);
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const password = readPassword(join(dir, 'password'));
  if (!existsSync(join(data, 'PG_VERSION'))) initialise(binaries.initdb, dir, data, account);
  // A volume mounted with an fsGroup has been opened to the group, which the server refuses.
  else chmodSync(data, 0o700);

  const orphan = await findOrphan(data, password);
  const onLost = options.onLost ?? (() => undefined);
  if (orphan) return claim({ ...orphan, child: undefined }, data, onLost);
  return claim(await start(binaries.postgres, options, data, password, account), data, onLost);
}

function readPassword(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

/** Makes the cluster beside its place and moves it there, so that a killed start leaves nothing half made. */
function initialise(initdb: string, dir: string, data: string, account: Account | undefined): void {
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { mode: 0o700 });
  // initdb reads the password as the unprivileged user.
  const passwordFile = join(dir, 'initdb-password');
  writeFileSync(passwordFile, readFileSync(join(dir, 'password')), { mode: 0o600 });
  if (account) {
    chownSync(data, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  const args = [
    `--pgdata=${data}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-sync',
  ];
  const run = account ? account.wrap(initdb, args) : { program: initdb, args };
  try {
    execFileSync(run.program, run.args, { cwd: '/', env: environment(), stdio: 'pipe', ...ids(run) });
  } catch (cause) {
    rmSync(data, { recursive: true, force: true });
    const output = (cause as { stderr?: Buffer }).stderr?.toString().trim() ?? String(cause);
    throw new MusterError('internal', `cannot make the embedded PostgreSQL: ${output}`, {
      where: data,
      cause,
    });
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

interface Running {
  url: string;
  pid: number;
  child: ChildProcess | undefined;
}

async function start(
  postgres: string,
  options: EmbeddedPostgresOptions,
  data: string,
  password: string,
  account: Account | undefined,
): Promise<Running> {
  const deadline = Date.now() + START_DEADLINE_MS;
  // Again when the port was taken meanwhile, or workers of a killed server still hold its shared memory.
  for (;;) {
    const port = await freePort();
    const running = await attempt(postgres, options, data, port, password, account, deadline);
    if (running) return running;
    if (Date.now() > deadline) {
      throw new MusterError('unavailable', 'the embedded PostgreSQL does not start', {
        where: join(options.dir, 'postgres.log'),
      });
    }
    await sleep(250);
  }
}

async function attempt(
  postgres: string,
  options: EmbeddedPostgresOptions,
  data: string,
  port: number,
  password: string,
  account: Account | undefined,
  deadline: number,
): Promise<Running | undefined> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: String(options.maxConnections ?? 200),
    timezone: 'UTC',
    log_timezone: 'UTC',
    shared_buffers: '128MB',
    ...(options.durable === false
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
      : {}),
  };
  const args = [
    '-D',
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const run = account ? account.wrap(postgres, args) : { program: postgres, args };
  // A file, not a pipe: the server outlives a killed hub and must not die of a closed pipe.
  const log = openSync(join(options.dir, 'postgres.log'), 'w', 0o600);
  const child = spawn(run.program, run.args, {
    cwd: '/',
    env: environment(),
    stdio: ['ignore', log, log],
    // A Ctrl-C in the terminal reaches the hub, which then stops the server after itself.
    detached: true,
    ...ids(run),
  });
  closeSync(log);
  let ended = false;
  child.once('error', () => {
    ended = true;
  });
  child.once('exit', () => {
    ended = true;
  });
  const url = urlOf(port, password);
  while (!ended && Date.now() < deadline) {
    if (await answers(url)) return { url, pid: child.pid!, child };
    await sleep(20);
  }
  return undefined;
}

const urlOf = (port: number, password: string) =>
  `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;

/** A server that runs on this data folder already, if it answers; one that does not is stopped. */
async function findOrphan(data: string, password: string): Promise<{ url: string; pid: number } | undefined> {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!isServerOf(pid, data)) {
    // Of a server that is gone. Left in place, a process that has its id by now would make the start fail.
    rmSync(file, { force: true });
    return undefined;
  }
  const url = urlOf(port, password);
  for (let tries = 0; tries < 50; tries++) {
    if (await answers(url)) return { url, pid };
    if (!isServerOf(pid, data)) return undefined;
    await sleep(100);
  }
  await end(pid, data);
  return undefined;
}

function isServerOf(pid: number, data: string): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  return commandOf(pid)?.includes(data) ?? false;
}

function commandOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { stdio: 'pipe' }).toString();
  } catch {
    return undefined;
  }
}

/** Makes sure that no other hub uses the server, and holds that as long as this process lives. */
async function claim(
  running: Running,
  data: string,
  onLost: (error: Error) => void,
): Promise<EmbeddedPostgres> {
  let stopping = false;
  let owner: pg.Client | undefined;
  const hold = async (): Promise<void> => {
    owner = await becomeOwner(running.url);
    if (!owner) {
      throw new MusterError('conflict', 'another hub is running on this data folder', {
        where: data,
        hint: 'Stop it, or choose another MUSTER_DATA_DIR.',
      });
    }
    // Cut off, by an administrator or because the server ended: held again, or the hub is told.
    owner.once('end', () => {
      if (!stopping) hold().catch(onLost);
    });
  };
  await hold();
  return {
    url: running.url,
    pid: running.pid,
    stop: async () => {
      stopping = true;
      await owner?.end().catch(() => undefined);
      await end(running.pid, data, running.child);
    },
  };
}

/** A connection that holds the owner's lock; undefined when another holds it. */
async function becomeOwner(url: string): Promise<pg.Client | undefined> {
  const client = new pg.Client({ connectionString: url, application_name: 'muster-hub owner' });
  client.on('error', () => undefined);
  await client.connect();
  // A hub that was just killed still has a connection for a moment.
  for (let tries = 0; tries < 30; tries++) {
    if (tries > 0) await sleep(100);
    const { rows } = await client.query<{ owned: boolean }>('select pg_try_advisory_lock($1) as owned', [
      OWNER_LOCK,
    ]);
    if (rows[0]!.owned) return client;
  }
  await client.end();
  return undefined;
}

/** Asks for a fast shutdown (clients are cut off, everything is written), then for an immediate one. */
async function end(pid: number, data: string, child?: ChildProcess): Promise<void> {
  const gone = () => (child ? child.exitCode !== null || child.signalCode !== null : !isServerOf(pid, data));
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (gone()) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    const deadline = Date.now() + 7000;
    while (!gone() && Date.now() < deadline) await sleep(20);
  }
}

async function answers(url: string): Promise<boolean> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = new pg.Client({ connectionString: maintenance.href, connectionTimeoutMillis: 1000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function ids(run: { uid?: number; gid?: number }): { uid?: number; gid?: number } {
  return run.uid === undefined ? {} : { uid: run.uid, gid: run.gid };
}

/** Nothing of the hub's own environment: it holds secrets. */
function environment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
