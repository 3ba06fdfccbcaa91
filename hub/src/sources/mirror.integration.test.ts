import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GitObjects } from './git-objects.ts';
import { type GitEnvironment, prepareGit } from './git-process.ts';
import { Mirror } from './mirror.ts';
import { parseRepositoryUrl } from './repository-url.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-mirror-'));
const work = join(folder, 'work');
let git: GitEnvironment;
let mirror: Mirror;
const access = { remote: parseRepositoryUrl(`file://${work}`), insecure: false };
const limits = { maxFileBytes: 1000, fetchTimeoutMs: 30_000, maxFetchBytes: 50_000_000 };

const run = (...args: string[]) =>
  execFileSync('git', args, {
    cwd: work,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'a@x',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'a@x',
    },
  }).trim();
const commit = (message: string) => {
  run('add', '-A');
  run('commit', '-q', '-m', message);
  return run('rev-parse', 'HEAD');
};

beforeAll(async () => {
  mkdirSync(join(work, 'app'), { recursive: true });
  run('init', '-q', '-b', 'main');
  writeFileSync(join(work, 'app', 'a.yaml'), 'a: 1\n');
  symlinkSync('a.yaml', join(work, 'app', 'link.yaml'));
  symlinkSync('../../outside', join(work, 'app', 'bad.yaml'));
  symlinkSync('/etc/passwd', join(work, 'app', 'worse.yaml'));
  writeFileSync(join(work, 'big.bin'), Buffer.alloc(5000));
  git = await prepareGit(join(folder, 'git'), true);
  mirror = new Mirror(git, join(folder, 'mirror.git'), limits, GitObjects.cache(1_000_000));
});
afterAll(() => {
  mirror.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a commit is found by branch, HEAD, annotated tag, id and version range', async () => {
  const first = commit('first');
  run('tag', '-a', 'v1.2.0', '-m', 'one');
  const refs = await mirror.fetch(access, 'work');
  for (const revision of [
    '',
    'HEAD',
    'main',
    'v1.2.0',
    'refs/heads/main',
    first,
    first.slice(0, 8),
    '1.x',
    '^1.0.0',
  ]) {
    expect((await mirror.resolve(revision, refs)).commit, revision).toBe(first);
  }
  await expect(mirror.resolve('nowhere', refs)).rejects.toThrow(
    'the revision nowhere is not a branch, tag or commit',
  );
  await expect(mirror.resolve('deadbeefdeadbeef', refs)).rejects.toThrow('is not a branch, tag or commit');
});

test('files are read at a commit, links stay inside, large files are refused', async () => {
  const refs = await mirror.fetch(access, 'work');
  const tree = await mirror.tree((await mirror.resolve('main', refs)).commit);
  expect((await tree.read('app/a.yaml'))?.toString()).toBe('a: 1\n');
  expect((await tree.read('app/link.yaml'))?.toString()).toBe('a: 1\n');
  expect(await tree.read('app/none.yaml')).toBeUndefined();
  expect(await tree.kind('app')).toBe('dir');
  await expect(tree.read('app/bad.yaml')).rejects.toMatchObject({ code: 'invalid', where: 'app/bad.yaml' });
  await expect(tree.read('app/worse.yaml')).rejects.toThrow('points out of the repository');
  await expect(tree.read('../x')).rejects.toThrow('leads out of the repository');
  await expect(tree.read('big.bin')).rejects.toMatchObject({ code: 'limit', where: 'big.bin' });
});

test('a later commit is seen by the next fetch, and who touched a path last is known', async () => {
  writeFileSync(join(work, 'other.txt'), 'x');
  const second = commit('second');
  const refs = await mirror.fetch(access, 'work');
  const resolved = await mirror.resolve('main', refs);
  expect(resolved).toMatchObject({ commit: second, subject: 'second', author: 'Ada <a@x>' });
  expect(await mirror.lastTouched(second, ['app/a.yaml'])).toBeInstanceOf(Date);
  expect(await mirror.lastTouched(second, ['nothing'])).toBeUndefined();
});

test('fetches that run at once are one, and a mirror with leftover locks or none at all is made good', async () => {
  const [a, b] = [mirror.fetch(access, 'work'), mirror.fetch(access, 'work')];
  expect(await a).toBe(await b);
  await mirror.remove();
  const again = await mirror.fetch(access, 'work');
  expect(again.commits.size).toBe(3);
  writeFileSync(join(folder, 'mirror.git', 'packed-refs.lock'), '');
  writeFileSync(join(work, 'other.txt'), 'y');
  const third = commit('third');
  run('branch', 'side');
  const fresh = new Mirror(git, join(folder, 'mirror.git'), limits, GitObjects.cache(1000));
  expect((await fresh.fetch(access, 'work')).commits.get('refs/heads/side')).toBe(third);
  fresh.close();
});

test('what is not there is said in words', async () => {
  const gone = { remote: parseRepositoryUrl(`file://${folder}/nothing`), insecure: false };
  const other = new Mirror(git, join(folder, 'other.git'), limits, GitObjects.cache(1000));
  await expect(other.fetch(gone, 'file:///nothing')).rejects.toThrow(
    'the repository file:///nothing was not found',
  );
  const forbidden = new Mirror(
    await prepareGit(join(folder, 'git2'), false),
    join(folder, 'o2.git'),
    limits,
    GitObjects.cache(1000),
  );
  await expect(forbidden.fetch(access, 'x')).rejects.toThrow('protocol that this hub does not allow');
  const nowhere = { remote: parseRepositoryUrl('https://127.0.0.1:1/x.git'), insecure: false };
  await expect(other.fetch(nowhere, 'x')).rejects.toMatchObject({
    code: 'unavailable',
    message: 'the repository x could not be reached',
  });
});
