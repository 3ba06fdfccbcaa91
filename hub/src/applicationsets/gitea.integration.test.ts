import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { RepositoriesService } from '../sources/repositories.service.ts';
import { type Gitea, giteaProblem, startGitea } from '../sources/scm/gitea.fixture.ts';
import { SetViews } from './set-views.service.ts';

const problem = await giteaProblem();
if (problem) console.warn(`webhooks are not tested against Gitea: ${problem}`);
const folder = mkdtempSync(join(tmpdir(), 'muster-gitea-hub-'));
const SECRET = 'a-webhook-secret';
const SHOP = 'acme/shop';
const PULLS = ['pull_request', 'pull_request_label', 'pull_request_sync'];
const BUILD_MS = 900_000;

/** Polls are an hour apart and generators ask again after half an hour: what happens here, webhooks have set off. */
describe.skipIf(problem)('with a real Gitea', () => {
  let gitea: Gitea;
  let hub: TestHub;
  let reader: { id: number; token: string };

  beforeAll(async () => {
    [gitea, hub] = await Promise.all([
      startGitea(),
      startTestHub(folder, { MUSTER_WEBHOOK_SECRET_GITEA: SECRET, MUSTER_DELETION_GRACE_SECONDS: '600' }),
    ]);
    await hub.cluster('dev');
    await gitea.organisation('acme');
    await gitea.repository('acme', 'shop', { 'app/a.yaml': configMap('first') }, { private: true });
    reader = await gitea.reader('bot');
    await gitea.api('PUT', `repos/${SHOP}/collaborators/bot`, { permission: 'read' });
    await gitea.webhook(SHOP, `${hub.running.listening.http}/api/webhook`, SECRET, ['push', ...PULLS]);
    for (const url of [`${gitea.url}/acme`, `${gitea.url}/${SHOP}.git`])
      await add({ url, credentials: { token: reader.token } });
  }, BUILD_MS);
  afterAll(async () => {
    await hub?.stop();
    await gitea?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
  const add = (more: { url: string; credentials: object; knownHosts?: string; insecure?: boolean }) =>
    hub.running.app
      .get(RepositoriesService, { strict: false })
      .add({ insecure: false, skipCheck: more.url.endsWith('/acme'), ...more }, systemActor);
  const set = (name: string) =>
    hub.running.app.get(SetViews, { strict: false }).get(systemActor, 'argocd', name);
  const previews = () => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'previews' },
    spec: {
      goTemplate: true,
      generators: [
        {
          pullRequest: {
            gitea: {
              api: gitea.url,
              owner: 'acme',
              repo: 'shop',
              labels: ['preview'],
              tokenRef: { secretName: 'gitea', key: 'token' },
            },
          },
        },
      ],
      template: {
        metadata: { name: 'pr-{{ .number }}' },
        spec: {
          project: 'default',
          source: { repoURL: `${gitea.url}/${SHOP}.git`, path: 'app', targetRevision: '{{ .head_sha }}' },
          destination: { name: 'dev', namespace: '{{ .branch_slug }}' },
        },
      },
    },
  });
  const revision = async (name: string) => (await hub.app(name)).revision?.commit;
  const gone = (name: string) =>
    hub.eventually(async () => expect((await hub.assignment('dev', name)).action).toBe('uninstall'));
  const counted = async (outcome: string) => {
    const text = await (await fetch(`${hub.running.listening.http}/metrics`)).text();
    const line = new RegExp(`^muster_webhooks_total{[^}]*outcome="${outcome}"[^}]*} (\\d+)`, 'm');
    return [...text.matchAll(new RegExp(line, 'gm'))]
      .filter(([all]) => all.includes('sender="gitea"'))
      .map(([, n]) => Number(n))[0];
  };

  test('a push to a private repository is rendered as soon as Gitea tells of it', async () => {
    const source = { repoURL: `${gitea.url}/${SHOP}.git`, path: 'app', targetRevision: 'main' };
    await hub.apply([application(hub, 'shop', 'app', { source })]);
    await hub.assignment('dev', 'shop');
    const commit = await gitea.commit(SHOP, { 'app/a.yaml': configMap('second') });
    await hub.eventually(async () => expect(await revision('shop')).toBe(commit));
  });

  test('an environment appears with a labelled pull request, follows it, and leaves with its label', async () => {
    await hub.apply([previews()]);
    await hub.eventually(async () => expect((await set('previews')).conditions).toHaveLength(3));
    const head = await gitea.commit(
      SHOP,
      { 'app/b.yaml': configMap('b') },
      { name: 'Feature/Größe_1', from: 'main' },
    );
    const number = await gitea.pullRequest(SHOP, 'Feature/Größe_1', ['preview']);
    const first = await hub.assignment('dev', `pr-${number}`);
    expect(await revision(`pr-${number}`)).toBe(head);
    expect((await hub.app(`pr-${number}`)).destination.namespace).toBe('feature-grosse-1');
    const next = await gitea.commit(SHOP, { 'app/c.yaml': configMap('c') }, { name: 'Feature/Größe_1' });
    await hub.eventually(async () => expect(await revision(`pr-${number}`)).toBe(next));
    await hub.eventually(async () =>
      expect((await hub.assignment('dev', `pr-${number}`)).bundle_digest).not.toBe(first.bundle_digest),
    );
    await gitea.label(SHOP, number, 'preview', false);
    await gone(`pr-${number}`);
  });

  test('a label brings an environment, closing the pull request takes it away, without an approval', async () => {
    await gitea.commit(SHOP, { 'app/d.yaml': configMap('d') }, { name: 'fix', from: 'main' });
    const number = await gitea.pullRequest(SHOP, 'fix');
    await gitea.label(SHOP, number, 'preview', true);
    await hub.assignment('dev', `pr-${number}`);
    await gitea.api('PATCH', `repos/${SHOP}/pulls/${number}`, { state: 'closed' });
    await gone(`pr-${number}`);
  });

  test('a webhook with another secret is refused, counted, and sets nothing off', async () => {
    const hook = await gitea.webhook(SHOP, `${hub.running.listening.http}/api/webhook`, 'another', ['push']);
    const [refused, accepted] = [await counted('refused'), await counted('accepted')];
    await gitea.api('POST', `repos/${SHOP}/hooks/${hook}/tests`);
    await hub.eventually(async () => expect(await counted('refused')).toBe(refused! + 1));
    expect(await counted('accepted')).toBe(accepted);
    await gitea.api('DELETE', `repos/${SHOP}/hooks/${hook}`);
  });

  test('a repository is read over ssh with a key, from a host that is known', async () => {
    const key = join(folder, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    await gitea.api('POST', `repos/${SHOP}/keys`, {
      title: 'hub',
      key: readFileSync(`${key}.pub`, 'utf8'),
      read_only: true,
    });
    const { ssh_url: url } = await gitea.api('GET', `repos/${SHOP}`);
    const credentials = { sshPrivateKey: readFileSync(key, 'utf8') };
    await expect(add({ url, credentials })).rejects.toMatchObject({ code: 'forbidden' });
    await add({ url, credentials, knownHosts: gitea.knownHosts });
    const source = { repoURL: url, path: 'app', targetRevision: 'main' };
    await hub.apply([application(hub, 'by-ssh', 'app', { source })]);
    await hub.assignment('dev', 'by-ssh');
    const commit = await gitea.commit(SHOP, { 'app/a.yaml': configMap('third') });
    await hub.eventually(async () => expect(await revision('by-ssh')).toBe(commit));
  });

  test('an organisation’s repositories become Applications', async () => {
    await gitea.repository('acme', 'tools', { 'app/a.yaml': configMap('tools') });
    const generator = {
      gitea: { api: gitea.url, owner: 'acme', tokenRef: { secretName: 'gitea', key: 'token' } },
      cloneProtocol: 'https',
      filters: [{ pathsExist: ['app/a.yaml'], branchMatch: '^main$' }],
    };
    const { spec } = previews();
    await hub.apply([
      {
        ...previews(),
        metadata: { name: 'fleet' },
        spec: {
          ...spec,
          generators: [{ scmProvider: generator }],
          template: {
            metadata: { name: 'fleet-{{ .repository }}-{{ printf "%d" .repository_id }}' },
            spec: {
              ...spec.template.spec,
              source: { repoURL: '{{ .url }}', path: 'app', targetRevision: '{{ .branch }}' },
              destination: { name: 'dev', namespace: '{{ .repository }}' },
            },
          },
        },
      },
    ]);
    const { id } = await gitea.api('GET', 'repos/acme/tools');
    await hub.assignment('dev', `fleet-tools-${id}`);
    await hub.eventually(async () => expect((await set('fleet')).applications).toBe(2));
  });

  describe('when Gitea cannot be asked', () => {
    let number: number;
    const trouble = async () =>
      (await set('previews')).conditions.find((one) => one.type === 'ErrorOccurred' && one.status === 'True')
        ?.message;

    test('with a token that was revoked, the environments stay and the condition names the cause', async () => {
      await gitea.commit(SHOP, { 'app/e.yaml': configMap('e') }, { name: 'stays', from: 'main' });
      number = await gitea.pullRequest(SHOP, 'stays', ['preview']);
      await hub.assignment('dev', `pr-${number}`);
      await gitea.revoke('bot', reader.id);
      await gitea.label(SHOP, number, 'preview', false);
      await hub.eventually(async () => expect(await trouble()).toContain('answers 401'));
      expect(await trouble()).not.toContain(reader.token);
      expect((await hub.app(`pr-${number}`)).leaving).toBeUndefined();
      await gitea.commit(SHOP, { 'app/a.yaml': configMap('unseen') });
      await hub.eventually(async () =>
        expect((await hub.app('shop')).conditions[0]).toMatchObject({
          type: 'SourceError',
          message: expect.stringContaining('refused the credentials'),
        }),
      );
      expect((await hub.assignment('dev', 'shop')).action).toBe('apply');
    });

    test('with a new token all of it is caught up with', async () => {
      reader = await gitea.reader('bot');
      for (const url of [`${gitea.url}/acme`, `${gitea.url}/${SHOP}.git`])
        await add({ url, credentials: { token: reader.token } });
      await gitea.label(SHOP, number, 'preview', true);
      await hub.eventually(async () => expect(await trouble()).toBeUndefined());
      await hub.eventually(async () => expect((await hub.app('shop')).conditions).toEqual([]));
    });

    test('while it is down, the environments stay, and it is asked again when it is back', async () => {
      await gitea.down();
      const { spec } = previews();
      await hub.apply([{ ...previews(), spec: { ...spec, preservedFields: { labels: ['x'] } } }]);
      await hub.eventually(async () => expect(await trouble()).toContain('cannot be reached: ECONNREFUSED'));
      expect((await hub.app(`pr-${number}`)).leaving).toBeUndefined();
      await gitea.up();
      await gitea.api('PATCH', `repos/${SHOP}/pulls/${number}`, { state: 'closed' });
      await gone(`pr-${number}`);
      expect(await trouble()).toBeUndefined();
    });
  });
});
