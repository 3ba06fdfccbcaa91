import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MusterError } from '@muster/base';
import pg from 'pg';

/** One forward-only step of the schema. */
export interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/** Beside this file in the source, beside the bundle in a build. */
const FOLDER = fileURLToPath(new URL('./migrations/', import.meta.url));
const MIGRATION_LOCK = 7_305_510;

/** The steps in order. */
export function readMigrations(folder = FOLDER): Migration[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const sql = readFileSync(`${folder}/${name}`, 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/** What is to be applied. Throws MusterError `precondition` for a history that these steps do not continue. */
export function pending(steps: Migration[], applied: { name: string; checksum: string }[]): Migration[] {
  const known = new Map(steps.map((step) => [step.name, step]));
  for (const { name, checksum } of applied) {
    const step = known.get(name);
    if (!step) {
      throw new MusterError(
        'precondition',
        `the database has migration ${name}, which this version does not know`,
        {
          hint: 'Run the version of the hub that made it, or a newer one.',
        },
      );
    }
    if (step.checksum !== checksum) {
      throw new MusterError('precondition', `migration ${name} was changed after it had been applied`, {
        hint: 'Restore the file, or start from an empty database.',
      });
    }
  }
  const names = new Set(applied.map(({ name }) => name));
  return steps.filter(({ name }) => !names.has(name));
}

/** Brings the schema up to date, each step in a transaction; replicas that start together wait for each other. */
export async function migrate(url: string, steps = readMigrations()): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'muster-hub migrate' });
  try {
    await client.connect();
  } catch (cause) {
    const { message } = cause as Error;
    throw new MusterError('unavailable', `cannot reach the database: ${message || String(cause)}`, {
      where: 'DATABASE_URL',
      cause,
    });
  }
  try {
    const { rows: version } = await client.query<{ server_version_num: string }>('show server_version_num');
    if (Number(version[0]!.server_version_num) < 180_000) {
      throw new MusterError('unsupported', 'PostgreSQL 18 or newer is needed', { where: 'DATABASE_URL' });
    }
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(
      'create table if not exists schema_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
    );
    const { rows: applied } = await client.query<{ name: string; checksum: string }>(
      'select name, checksum from schema_migrations',
    );
    const todo = pending(steps, applied);
    for (const step of todo) {
      await client.query('begin');
      await client.query(step.sql);
      await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
        step.name,
        step.checksum,
      ]);
      await client.query('commit');
    }
    return todo.map(({ name }) => name);
  } finally {
    await client.end();
  }
}
