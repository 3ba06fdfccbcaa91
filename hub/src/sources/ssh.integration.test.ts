import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Credentials } from './credentials.ts';
import { type GitServer, startGitServer } from './git-http.fixture.ts';
import { GitObjects } from './git-objects.ts';
import { type GitEnvironment, prepareGit } from './git-process.ts';
import { Mirror } from './mirror.ts';
import { parseRepositoryUrl } from './repository-url.ts';
import { type SshServer, sshdProblem, startSshServer } from './sshd.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-ssh-'));
const work = join(folder, 'work');
const limits = { maxFileBytes: 1000, fetchTimeoutMs: 30_000, maxFetchBytes: 50_000_000 };
const problem = sshdProblem();
if (problem) console.warn(`sources over SSH are not tested: ${problem}`);
let git: GitEnvironment;

beforeAll(async () => {
  mkdirSync(work);
  const env = { PATH: process.env.PATH, HOME: folder };
  const run = (...args: string[]) => execFileSync('git', args, { cwd: work, env });
  run('init', '-q', '-b', 'main');
  writeFileSync(join(work, 'a.yaml'), 'a: 1\n');
  run('add', '-A');
  run('-c', 'user.name=Ada', '-c', 'user.email=a@x', 'commit', '-q', '-m', 'first');
  git = await prepareGit(join(folder, 'git'), false);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let mirrors = 0;
async function fetchRefs(url: string, credentials?: Credentials, knownHosts?: string) {
  const mirror = new Mirror(git, join(folder, `${mirrors++}.git`), limits, GitObjects.cache(1000));
  try {
    return await mirror.fetch(
      { remote: parseRepositoryUrl(url), credentials, knownHosts, insecure: false },
      url,
    );
  } finally {
    mirror.close();
  }
}

describe.skipIf(problem !== undefined)('a repository behind a real SSH server', () => {
  let server: SshServer;
  let url: string;
  const key = (privateKey: string) => ({ kind: 'ssh' as const, privateKey });
  beforeAll(async () => {
    server = await startSshServer(join(folder, 'sshd'), 'host');
    url = `ssh://${server.user}@127.0.0.1:${server.port}${work}/.git`;
  });
  afterAll(() => server?.stop());

  test('is read with its key, also one that was pasted with other line breaks, and no key stays behind', async () => {
    const refs = await fetchRefs(url, key(server.accepted), server.knownHosts);
    expect([...refs.commits.keys()]).toEqual(['HEAD', 'refs/heads/main']);
    await fetchRefs(url, key(server.accepted.trim().replaceAll('\n', '\r\n')), server.knownHosts);
    const left = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    expect(left.filter((path) => /[0-9a-f]{8}-[0-9a-f]{4}-/.test(path))).toEqual([]);
  });

  test.each([
    ['another key', () => server.refused],
    ['a text that is no key', () => 'not a key'],
  ])('refuses %s in words', async (_what, privateKey) => {
    await expect(fetchRefs(url, key(privateKey()), server.knownHosts)).rejects.toMatchObject({
      code: 'forbidden',
      message: `the repository ${url} refused the SSH key`,
      hint: expect.stringContaining('SSH private key'),
    });
  });

  test('is not talked to while its host key is not known', async () => {
    await expect(fetchRefs(url, key(server.accepted))).rejects.toMatchObject({
      code: 'forbidden',
      message: `the repository ${url} is not a known SSH host`,
      hint: expect.stringContaining('knownHosts'),
    });
  });

  test('is not talked to once it shows another host key', async () => {
    await server.stop();
    const known = server.knownHosts;
    server = await startSshServer(join(folder, 'sshd'), 'another-host', server.port);
    await expect(fetchRefs(url, key(server.accepted), known)).rejects.toMatchObject({
      code: 'forbidden',
      message: `the repository ${url} shows another SSH host key than the known one`,
      hint: expect.stringContaining('knownHosts'),
    });
    await fetchRefs(url, key(server.accepted), server.knownHosts);
  });
});

describe('a repository behind http with a token', () => {
  let server: GitServer;
  beforeAll(async () => {
    server = await startGitServer(folder, 'x-access-token:a-token');
  });
  afterAll(() => server?.stop());

  test('is read with its token, which is sent as a password, and refuses another', async () => {
    const url = `${server.url}/work/.git`;
    const refs = await fetchRefs(url, { kind: 'token', token: 'a-token' });
    expect([...refs.commits.keys()]).toContain('refs/heads/main');
    expect([...server.seen]).toEqual([`Basic ${Buffer.from('x-access-token:a-token').toString('base64')}`]);
    for (const credentials of [{ kind: 'token' as const, token: 'another' }, undefined]) {
      await expect(fetchRefs(url, credentials)).rejects.toMatchObject({
        code: 'forbidden',
        message: `the repository ${url} refused the credentials`,
      });
    }
  });
});
