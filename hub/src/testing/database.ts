import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Db, openDatabase } from '../store/database.ts';
import { migrate, readMigrations } from '../store/migrations.ts';

/** A database for one test file, with the whole schema and no rows. */
export interface TestDatabase {
  url: string;
  db: Db;
  /** Drops the database. Call it in `afterAll`. */
  stop(): Promise<void>;
}

/** Of this checkout: a server of another one would be gone, with its programs, when that is deleted. */
const CHECKOUT = createHash('sha256')
  .update(fileURLToPath(import.meta.url))
  .digest('hex')
  .slice(0, 8);
const DIR = join(tmpdir(), `muster-test-postgres-${userInfo().uid}-${CHECKOUT}`);
const DEADLINE_MS = 60_000;
/** Of a test itself, and of each hub that it starts: enough to be concurrent, and few enough for many tests at once. */
export const TEST_CONNECTIONS = 10;

/** Makes a fresh database on the PostgreSQL that all integration tests of this checkout share. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const admin = await connectServer();
  const template = await ensureTemplate(admin);
  const name = `test_${randomBytes(8).toString('hex')}`;
  await admin.query(`create database ${name} template ${template}`);
  const url = urlOf(admin, name);
  const db = openDatabase(url, { max: TEST_CONNECTIONS });
  return {
    url,
    db,
    stop: async () => {
      await db.destroy();
      await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}

function urlOf(admin: pg.Client, database: string): string {
  return `postgresql://${admin.user}:${admin.password}@${admin.host}:${admin.port}/${database}`;
}

/** One template per content of the migrations. */
async function ensureTemplate(admin: pg.Client): Promise<string> {
  const steps = readMigrations();
  const hash = createHash('sha256')
    .update(steps.map(({ checksum }) => checksum).join())
    .digest('hex');
  const name = `template_${hash.slice(0, 16)}`;
  const exists = async () =>
    (await admin.query('select from pg_database where datname = $1 and datistemplate', [name])).rowCount ===
    1;
  if (await exists()) return name;
  await admin.query('select pg_advisory_lock(1)');
  try {
    if (await exists()) return name;
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`create database ${name}`);
    await migrate(urlOf(admin, name), steps);
    await admin.query(`alter database ${name} is_template true`);
  } finally {
    await admin.query('select pg_advisory_unlock(1)');
  }
  return name;
}

/** A connection to the shared server, which is started when it does not run. */
async function connectServer(): Promise<pg.Client> {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline) {
    const found = await connectTo(join(DIR, 'url'));
    if (typeof found === 'object') return found;
    // One that has no room now is not started again: others let go of theirs.
    if (found === 'none' && takeTurn()) startServer();
    await sleep(100);
  }
  throw new Error(`the PostgreSQL for tests did not start, or had no room for a minute; see ${DIR}.log`);
}

/** A connection to the server whose URL is in a file; `busy`: it is there, and has no room or is starting; else `none`. */
export async function connectTo(file: string): Promise<pg.Client | 'busy' | 'none'> {
  try {
    const client = new pg.Client({
      connectionString: readFileSync(file, 'utf8'),
      application_name: 'muster test',
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  } catch (thrown) {
    const { code = '' } = thrown as { code?: string };
    return /^(53|57P03)/.test(code) ? 'busy' : 'none';
  }
}

/** One test process at a time starts the server; a turn that led to nothing is over after ten seconds. */
function takeTurn(): boolean {
  const turn = `${DIR}.starting`;
  try {
    mkdirSync(turn);
    return true;
  } catch {
    const since = statSync(turn, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - since > 10_000) rmSync(turn, { recursive: true, force: true });
    return false;
  }
}

function startServer(): void {
  const log = openSync(`${DIR}.log`, 'a', 0o600);
  const script = fileURLToPath(new URL('./postgres-server.ts', import.meta.url));
  spawn(process.execPath, [script, DIR], { detached: true, stdio: ['ignore', log, log] }).unref();
}
