import { createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { withCredentials } from './credentials.ts';
import { type GitServer, startGitServer } from './git-http.fixture.ts';
import { RepositoriesService } from './repositories.service.ts';
import { parseRepositoryUrl } from './repository-url.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-repositories-'));
const SECRET = 'a-webhook-secret';
let hub: TestHub;
let server: GitServer;
let repositories: RepositoriesService;

beforeAll(async () => {
  hub = await startTestHub(folder, {
    MUSTER_WEBHOOK_SECRET_GITHUB: SECRET,
    MUSTER_WEBHOOK_SECRET_GITLAB: SECRET,
    MUSTER_WEBHOOK_SECRET_GITEA: SECRET,
  });
  await hub.cluster('dev');
  hub.commit({ 'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' }, 'first');
  server = await startGitServer(folder, 'ada:pass word');
  repositories = hub.running.app.get(RepositoriesService, { strict: false });
});
afterAll(async () => {
  await hub?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const defaults = { insecure: false, skipCheck: false };

test('a repository that refuses the password, or is not there, is not added and says why', async () => {
  const url = `${server.url}/work/.git`;
  const wrong = { username: 'ada', password: 'wrong' };
  await expect(repositories.add({ ...defaults, url, credentials: wrong }, systemActor)).rejects.toMatchObject(
    {
      code: 'forbidden',
      message: expect.stringContaining('refused the credentials'),
    },
  );
  await expect(repositories.add({ ...defaults, url }, systemActor)).rejects.toMatchObject({
    code: 'forbidden',
  });
  const right = { username: 'ada', password: 'pass word' };
  await expect(
    repositories.add({ ...defaults, url: `${server.url}/none.git`, credentials: right }, systemActor),
  ).rejects.toMatchObject({ code: 'not-found' });
  await expect(
    repositories.add({ ...defaults, url: 'https://host.invalid/x.git' }, systemActor),
  ).rejects.toThrow('names a host that is not known');
  expect((await repositories.list(systemActor, 100)).items).toEqual([]);
});

test('with its password it is read, and the password is nowhere to be found', async () => {
  const url = `${server.url}/work/.git`;
  const added = await repositories.add(
    { ...defaults, url, credentials: { username: 'ada', password: 'pass word' } },
    systemActor,
  );
  expect(added).toMatchObject({ url, credentials: 'password', registered: true });
  expect(JSON.stringify(added)).not.toContain('pass word');
  const source = { repoURL: url, path: 'app', targetRevision: 'main' };
  await hub.apply([application(hub, 'private', 'app', { source })]);
  await hub.assignment('dev', 'private');
  const row = await hub.db
    .selectFrom('repositories')
    .selectAll()
    .where('id', '=', added.id)
    .executeTakeFirstOrThrow();
  expect(row.credentials_sealed?.includes('pass word')).toBe(false);
  const audit = await hub.db.selectFrom('audit').selectAll().execute();
  expect(JSON.stringify(audit.map((entry) => ({ ...entry, id: '' })))).not.toContain('pass word');
});

test('a signed webhook has the named repository fetched; others and unsigned ones do not', async () => {
  await hub.apply([application(hub, 'hooked', 'app')]);
  await hub.assignment('dev', 'hooked');
  await hub.idle();
  const commit = hub.commit(
    { 'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n' },
    'by webhook',
  );
  const send = (body: string, headers: Record<string, string>, path = '/api/webhook') =>
    fetch(hub.running.listening.http + path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
  const hmac = (body: string) => createHmac('sha256', SECRET).update(body).digest('hex');
  const body = JSON.stringify({ repository: { clone_url: hub.url } });
  const unsigned = await send(body, { 'x-github-event': 'push', 'x-hub-signature-256': 'sha256=00' });
  expect(unsigned.status).toBe(403);
  // Verified before it is parsed: what is not JSON is refused for its signature.
  expect((await send('{', { 'x-github-event': 'push', 'x-hub-signature-256': 'sha256=00' })).status).toBe(
    403,
  );
  expect(
    (await send('{', { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hmac('{')}` })).status,
  ).toBe(400);
  const bitbucket = await send(body, { 'x-event-key': 'repo:push' });
  expect(await bitbucket.json()).toMatchObject({ detail: expect.stringContaining('no secret is set') });
  const elsewhere = JSON.stringify({ project: { git_http_url: 'https://gitlab.com/a/b.git' } });
  const other = await send(elsewhere, { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': SECRET });
  expect(await other.json()).toEqual({ repositories: 0, applicationSets: 0 });
  const gitea = await send(
    body,
    { 'x-gitea-event': 'push', 'x-gitea-signature': hmac(body) },
    '/api/v1/webhooks/gitea',
  );
  expect(await gitea.json()).toEqual({ repositories: 1, applicationSets: 0 });
  await hub.eventually(async () => expect((await hub.app('hooked')).revision?.commit).toBe(commit));
  const signed = await send(body, {
    'x-github-event': 'push',
    'x-hub-signature-256': `sha256=${hmac(body)}`,
  });
  expect(signed.status).toBe(202);
});

test('a removed repository forgets its password and keeps what is applied', async () => {
  const [one] = (await repositories.list(systemActor, 100)).items.filter((item) => item.registered);
  const before = await hub.assignment('dev', 'private');
  await repositories.remove(one!.id, systemActor);
  await hub.idle();
  expect((await repositories.list(systemActor, 100)).items.find((item) => item.id === one!.id)).toMatchObject(
    {
      credentials: 'none',
      registered: false,
    },
  );
  await repositories.refresh(one!.id, systemActor);
  await hub.eventually(async () =>
    expect((await hub.app('private')).conditions[0]).toMatchObject({
      type: 'SourceError',
      message: expect.stringContaining('refused the credentials'),
    }),
  );
  expect(await hub.assignment('dev', 'private')).toEqual(before);
});

test('an SSH key is a file of mode 0600 only while git runs, and hosts must be known', async () => {
  const temporary = mkdtempSync(join(folder, 'ssh-'));
  const access = {
    remote: parseRepositoryUrl('git@example.com:shop/app.git'),
    credentials: { kind: 'ssh' as const, privateKey: 'KEY' },
    insecure: false,
  };
  await withCredentials(access, temporary, async (env) => {
    expect(env['GIT_SSH_COMMAND']).toContain('StrictHostKeyChecking=yes');
    const modes = readdirSync(temporary).map((name) => statSync(join(temporary, name)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600]);
  });
  expect(readdirSync(temporary)).toEqual([]);
  const token = { ...access, credentials: { kind: 'token' as const, token: 't' } };
  await expect(withCredentials(token, temporary, async () => undefined)).rejects.toThrow(
    'needs an SSH private key',
  );
});
