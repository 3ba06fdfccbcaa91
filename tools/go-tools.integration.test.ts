import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ensureGoBuild, toolsFolder } from './go-tools.mjs';

let work: string;
let log: string[];
const before = process.env.MUSTER_CACHE;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'muster-go-tools-'));
  process.env.MUSTER_CACHE = join(work, 'cache');
  await writeFile(join(work, 'go.mod'), 'module hello\n\ngo 1.21\n');
  await writeFile(join(work, 'main.go'), 'package main\n\nfunc main() { print("hello") }\n');
});

afterAll(async () => {
  if (before === undefined) delete process.env.MUSTER_CACHE;
  else process.env.MUSTER_CACHE = before;
  await rm(work, { recursive: true, force: true });
});

beforeEach(() => {
  log = [];
});

const build = (more = {}) =>
  ensureGoBuild({
    name: 'hello',
    dir: work,
    inputs: ['go.mod', 'main.go'],
    log: (line) => log.push(line),
    ...more,
  });
const builds = () => log.filter((line) => line.startsWith('building hello')).length;

test('two builds at once give one result, built once, and the third is answered from the cache', async () => {
  const [first, second] = await Promise.all([build({ links: ['hi'] }), build({ links: ['hi'] })]);
  expect(second).toBe(first);
  expect(builds()).toBe(1);
  execFileSync(first, { stdio: 'ignore' });
  expect(await build({ links: ['hi'] })).toBe(first);
  expect(builds()).toBe(1);
  const left = await readdir(toolsFolder());
  expect(left.filter((name) => /\.(lock|tmp-)/.test(name))).toEqual([]);
});

test('a changed source, argument or environment is a different program', async () => {
  const plain = await build();
  const stripped = await build({ args: ['-ldflags', '-s'] });
  const wasm = await build({ env: { GOOS: 'wasip1', GOARCH: 'wasm' } });
  await writeFile(join(work, 'main.go'), 'package main\n\nfunc main() { print("changed") }\n');
  expect(new Set([plain, stripped, wasm, await build()]).size).toBe(4);
});

test('the lock and the half-made folder of a run that died do not stop the next', async () => {
  const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
  await writeFile(join(work, 'main.go'), 'package main\n\nfunc main() { print("again") }\n');
  const folder = join(await build(), '..');
  await rm(folder, { recursive: true });
  const { hostname } = await import('node:os');
  await writeFile(`${folder}.lock`, JSON.stringify({ pid: Number(dead), host: hostname(), id: 'x' }));
  await writeFile(`${folder}.tmp-${dead}-abc`, '');
  await build();
  expect((await readdir(join(folder, '..'))).filter((name) => /\.(lock|tmp-)/.test(name))).toEqual([]);
});

test('a source that does not compile fails with what the compiler said, and leaves nothing behind', async () => {
  await writeFile(join(work, 'main.go'), 'package main\n\nfunc main() { nonsense() }\n');
  await expect(build()).rejects.toThrow(/undefined: nonsense/);
  expect((await readdir(toolsFolder())).filter((name) => /\.(lock|tmp-)/.test(name))).toEqual([]);
});

test('a machine without Go is told what to install', async () => {
  const path = process.env.PATH;
  process.env.PATH = work;
  try {
    await expect(build()).rejects.toThrow(/Install Go 1\.26 or newer/);
  } finally {
    process.env.PATH = path;
  }
});
