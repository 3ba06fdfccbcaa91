import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, expect, test, vi } from 'vitest';
import { PATIENCE } from '../testing/index.ts';

/** A mkdtemp folder is closed to other users: as root the server still has to reach its data below it. */
const parent = mkdtempSync(join(tmpdir(), 'muster-embedded-'));
const dir = join(parent, 'postgres');
const started: { child: ChildProcess; pid?: number }[] = [];

interface Owner {
  url?: string;
  pid?: number;
  error?: string;
  end(signal: NodeJS.Signals): Promise<void>;
}

/** A process that starts the server of the folder, as a hub does. */
async function owner(): Promise<Owner> {
  const script = new URL('./embedded.fixture.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const entry: (typeof started)[number] = { child };
  started.push(entry);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await vi.waitFor(() => expect(output).toContain('\n'), PATIENCE);
  const answer = JSON.parse(output) as { url?: string; pid?: number; error?: string };
  if (answer.pid) entry.pid = answer.pid;
  return {
    ...answer,
    end: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that ended and that nobody waits for has no command line any more.
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}

afterEach(async () => {
  for (const { child, pid } of started.splice(0)) {
    child.kill('SIGKILL');
    if (pid && alive(pid)) {
      process.kill(pid, 'SIGQUIT');
      await vi.waitFor(() => expect(alive(pid)).toBe(false), PATIENCE);
    }
  }
  rmSync(dir, { recursive: true, force: true });
});

test('the data survives a clean stop, the password is readable to its owner only', async () => {
  const first = await owner();
  await query(first.url!, 'create table t as select 1 as one');
  await first.end('SIGTERM');
  expect(alive(first.pid!)).toBe(false);
  expect(statSync(join(dir, 'password')).mode & 0o777).toBe(0o600);
  const second = await owner();
  expect(await query(second.url!, 'select * from t')).toEqual([{ one: 1 }]);
});

test('a server left behind by a killed hub is taken over, and ends with its new hub', async () => {
  const first = await owner();
  await query(first.url!, 'create table t as select 1 as one');
  await first.end('SIGKILL');
  expect(alive(first.pid!)).toBe(true);
  const second = await owner();
  expect(second.pid).toBe(first.pid);
  expect(await query(second.url!, 'select * from t')).toEqual([{ one: 1 }]);
  await second.end('SIGTERM');
  expect(alive(first.pid!)).toBe(false);
});

test('a killed server recovers', async () => {
  const first = await owner();
  await query(first.url!, 'create table t as select 1 as one');
  await first.end('SIGKILL');
  process.kill(first.pid!, 'SIGKILL');
  const second = await owner();
  expect(second.pid).not.toBe(first.pid);
  expect(await query(second.url!, 'select * from t')).toEqual([{ one: 1 }]);
});

test('a pid file that names somebody else does not keep the server from starting', async () => {
  const first = await owner();
  await first.end('SIGTERM');
  writeFileSync(join(dir, 'data', 'postmaster.pid'), `${process.pid}\n${dir}/data\n0\n5432\n`);
  const second = await owner();
  expect(second.url).toBeDefined();
  expect(readFileSync(join(dir, 'data', 'postmaster.pid'), 'utf8')).toMatch(new RegExp(`^${second.pid}\n`));
});

test('a second hub on the same folder is refused', async () => {
  await owner();
  const second = await owner();
  expect(second.error).toBe('another hub is running on this data folder');
});
