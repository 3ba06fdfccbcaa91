import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { type TestHub, startTestHub } from '../applications/pipeline.fixture.ts';
import { RepositoriesService } from '../sources/repositories.service.ts';
import { type ScmServer, startScmServer } from '../sources/scm/scm-server.fixture.ts';
import { SetViews } from './set-views.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-previews-'));
const PULLS = '/api/v1/repos/acme/shop/pulls?limit=50&page=1&state=open';
let hub: TestHub;
let host: ScmServer;

beforeAll(async () => {
  host = await startScmServer();
  hub = await startTestHub(folder, { MUSTER_DELETION_GRACE_SECONDS: '600' });
  await hub.cluster('dev');
  hub.commit({ 'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' }, 'first');
});
afterAll(async () => {
  await hub?.stop();
  await host?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const pull = (number: number, label = 'preview') => ({
  number,
  title: 't',
  head: { ref: `Feature/${number}`, sha: `${number}`.repeat(40) },
  base: { ref: 'main' },
  user: { login: 'ada' },
  labels: [{ name: label }],
});
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
            api: host.url,
            owner: 'acme',
            repo: 'shop',
            labels: ['preview'],
            tokenRef: { secretName: 'gitea', key: 'token' },
          },
          requeueAfterSeconds: 1,
        },
      },
    ],
    template: {
      metadata: { name: 'pr-{{ .number }}-{{ .branch_slug }}' },
      spec: {
        project: 'default',
        source: { repoURL: hub.url, path: 'app', targetRevision: 'main' },
        destination: { name: 'dev', namespace: 'pr-{{ .head_short_sha_7 }}' },
      },
    },
  },
});
const condition = async () => {
  const sets = hub.running.app.get(SetViews, { strict: false });
  return (await sets.get(systemActor, 'argocd', 'previews')).conditions[0];
};

test('without registered credentials the host is not asked, and the condition says what to do', async () => {
  await hub.apply([previews()]);
  await hub.eventually(async () =>
    expect((await condition())?.message).toContain('no credentials are registered for'),
  );
  expect(host.asked).toEqual([]);
});

test('an environment appears for each pull request with the label, and for one that is opened later', async () => {
  host.answers[PULLS] = [pull(1), pull(2, 'other'), pull(3)];
  await hub.running.app
    .get(RepositoriesService, { strict: false })
    .add(
      { url: `${host.url}/acme`, credentials: { token: 'secret' }, insecure: false, skipCheck: true },
      systemActor,
    );
  await hub.assignment('dev', 'pr-1-feature-1');
  await hub.assignment('dev', 'pr-3-feature-3');
  await expect(hub.app('pr-2-feature-2')).rejects.toThrow('there is no Application');
  expect(host.asked.at(-1)?.headers.authorization).toBe('token secret');
  host.answers[PULLS] = [pull(1), pull(3), pull(4)];
  await hub.assignment('dev', 'pr-4-feature-4');
});

test('a host that fails takes nothing away', async () => {
  host.answers[PULLS] = { status: 401 };
  await hub.eventually(async () => expect(await condition()).toMatchObject({ status: 'True' }));
  expect((await hub.app('pr-1-feature-1')).leaving).toBeUndefined();
});

test('an environment leaves with its pull request, at once and without an approval', async () => {
  host.answers[PULLS] = [];
  await hub.eventually(async () =>
    expect((await hub.assignment('dev', 'pr-1-feature-1')).action).toBe('uninstall'),
  );
  await hub.eventually(async () =>
    expect((await hub.assignment('dev', 'pr-4-feature-4')).action).toBe('uninstall'),
  );
});
