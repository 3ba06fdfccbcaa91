import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { PATIENCE } from './testing/index.ts';

/** The bundle, as users run it. */
const folder = fileURLToPath(new URL('..', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'muster-main-'));
const bundle = join(folder, 'dist', 'main.mjs');
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => {
  // A test that failed leaves the server of its killed hub.
  const pidFile = join(out, 'hub', 'postgres', 'data', 'postmaster.pid');
  if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8').split('\n', 1)[0]), 'SIGQUIT');
  rmSync(out, { recursive: true, force: true });
});

interface Process {
  output(): string;
  exit: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

function run(env: Record<string, string>): Process {
  const child = spawn(process.execPath, [bundle], {
    env: {
      PATH: process.env['PATH']!,
      MUSTER_HTTP_PORT: '0',
      MUSTER_SESSION_PORT: '0',
      MUSTER_ENROL_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { output: () => output, exit, kill: (signal) => void child.kill(signal) };
}

/** Waits until the hub of the folder is ready; returns its URL. A killed hub leaves its `listening.json` behind. */
async function ready(hub: Process, dataDir: string): Promise<string> {
  return vi.waitFor(async () => {
    const file = join(dataDir, 'listening.json');
    expect(existsSync(file), hub.output()).toBe(true);
    const { http } = JSON.parse(readFileSync(file, 'utf8')) as { http: string };
    expect((await fetch(`${http}/readyz`)).status).toBe(200);
    return http;
  }, PATIENCE);
}

const logIn = (url: string, password: string) =>
  fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'admin', password }),
  });

test('a wrong setting is named and ends the hub with 1', async () => {
  const hub = run({ MUSTER_DATA_DIR: join(out, 'never'), MUSTER_POLL_SECONDS: 'often' });
  expect(await hub.exit).toBe(1);
  expect(hub.output()).toBe(
    'muster-hub: MUSTER_POLL_SECONDS is not a whole number (See docs/configuration.md.)\n',
  );
  expect(existsSync(join(out, 'never'))).toBe(false);
});

test('starts on nothing, makes an admin, ends in order, survives being killed', async () => {
  const dataDir = join(out, 'hub');
  const first = run({ MUSTER_DATA_DIR: dataDir });
  const url = await ready(first, dataDir);
  const passwordFile = join(dataDir, 'admin-password');
  const password = readFileSync(passwordFile, 'utf8').trim();
  expect(statSync(passwordFile).mode & 0o777).toBe(0o600);
  expect(first.output()).not.toContain(password);
  expect((await logIn(url, password)).status).toBe(200);
  first.kill('SIGKILL');
  await first.exit;

  const second = run({ MUSTER_DATA_DIR: dataDir });
  const again = await ready(second, dataDir);
  expect((await logIn(again, password)).status).toBe(200);
  const stream = await fetch(`${again}/livez`);
  expect(stream.status).toBe(200);
  second.kill('SIGTERM');
  expect(await second.exit).toBe(0);
  expect(existsSync(join(dataDir, 'listening.json'))).toBe(false);
  expect(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
});
