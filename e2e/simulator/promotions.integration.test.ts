import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApplyRequest, PromotionChangeView } from '@muster/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gitea, giteaProblem, startGitea } from '../../hub/src/sources/scm/gitea.fixture.ts';
import { type Hub, eventually, startHub } from '../src/index.ts';
import { type Asked, HoldingProxy } from './holding-proxy.ts';
import { SimulatedFleet } from './simulated-fleet.ts';

const problem = await giteaProblem();
if (problem) console.warn(`killed promotions are not tested: ${problem}`);
const BUILD_MS = 900_000;
/** Commits lead from one to the next, and into the last a pull request. */
const ENVIRONMENTS = ['dev', 'staging', 'prod'];
const BRANCH = 'muster/promote/web/prod';
const REPOSITORY = 'acme/fleet';
const env = { MUSTER_POLL_SECONDS: '1', MUSTER_PROMOTION_SECONDS: '1' };

let dir: string;
let gitea: Gitea;
let proxy: HoldingProxy;
let hub: Hub;
let fleet: SimulatedFleet;
let repository: string;

const configMap = (value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  value: ${value}\n`;
const fileOf = (name: string) => `envs/${name}/web.yaml`;

function documents(repoURL: string): Record<string, unknown>[] {
  const applications = ENVIRONMENTS.map((name) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd' },
    spec: {
      project: 'default',
      source: { repoURL, path: `envs/${name}`, targetRevision: 'main' },
      destination: { name, namespace: 'web' },
      syncPolicy: { automated: {} },
    },
  }));
  const modes: Record<string, string> = { staging: 'commit', prod: 'pull-request' };
  const environments = ENVIRONMENTS.map((name) => ({
    name,
    application: name,
    path: `envs/${name}`,
    ...(modes[name] ? { change: { mode: modes[name], copy: {} } } : {}),
  }));
  const spec = { repository: repoURL, branch: 'main', host: { kind: 'gitea' }, environments };
  return [
    ...applications,
    { apiVersion: 'muster.dev/v1alpha1', kind: 'Promotion', metadata: { name: 'web' }, spec },
  ];
}

beforeAll(async () => {
  if (problem) return;
  dir = await mkdtemp(join(tmpdir(), 'muster-promotions-'));
  [gitea, hub] = await Promise.all([startGitea(), startHub({ dir: join(dir, 'hub'), env })]);
  proxy = await HoldingProxy.start(gitea.url);
  await gitea.organisation('acme');
  const files = Object.fromEntries(ENVIRONMENTS.map((name) => [fileOf(name), configMap('first')]));
  await gitea.repository('acme', 'fleet', files);
  const { token } = await gitea.reader('bot', ['write:repository', 'write:issue']);
  await gitea.api('PUT', `repos/${REPOSITORY}/collaborators/bot`, { permission: 'write' });
  fleet = await SimulatedFleet.start({
    hub,
    clusters: new Map(ENVIRONMENTS.map((name) => [name, {}])),
    behaviour: () => ({ outcome: 'healthy', applyMs: 20, settleMs: 20, awayMs: 0 }),
    seed: 1,
  });
  const url = `${proxy.url}/${REPOSITORY}.git`;
  ({ id: repository } = await fleet.client.repositories.add({
    url,
    write: true,
    skipCheck: true,
    credentials: { token },
  }));
  await fleet.client.apply({ documents: documents(url) } as unknown as ApplyRequest);
  await changed('prod', 'to have all', ({ state }) => state === 'done');
}, BUILD_MS);
afterAll(async () => {
  await fleet?.stop();
  await hub?.stop();
  proxy?.stop();
  await gitea?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

/** The change of an environment once it is as told: the one on its way, else the newest that has ended. */
const changed = (name: string, what: string, is: (change: PromotionChangeView) => boolean) =>
  eventually(
    async (see) => {
      const { environments } = await fleet.client.promotions.get('web');
      const { current, last } = environments.find((one) => one.name === name)!;
      const change = current ?? last;
      see([change?.state, change?.why, change?.commit, environments.map(({ standing }) => standing)]);
      return change && is(change) ? change : undefined;
    },
    { what: `${name} ${what}`, timeout: 60_000 },
  );
const valueIn = async (name: string, ref = 'main') => {
  const found = await gitea.api('GET', `repos/${REPOSITORY}/contents/${fileOf(name)}?ref=${ref}`);
  return /value: (.+)/.exec(Buffer.from(found.content, 'base64').toString('utf8'))![1];
};
/** Commits of a branch that were made for a change, newest first. */
const commitsFor = async ({ id }: PromotionChangeView, branch: string): Promise<string[]> => {
  const commits = await gitea.api('GET', `repos/${REPOSITORY}/commits?sha=${branch}&limit=50&stat=false`);
  return commits.flatMap(({ sha, commit }: { sha: string; commit: { message: string } }) =>
    commit.message.includes(`Muster-Promotion: ${id}`) ? [sha] : [],
  );
};

/** At each of the moments, one after another: the server has done what it was asked, the hub is killed before it hears of it, and starts again. */
async function killAt(moments: readonly ((asked: Asked) => boolean)[]): Promise<void> {
  let done = proxy.hold(moments[0]!);
  for (const [i] of moments.entries()) {
    await done;
    await hub.kill();
    const next = moments[i + 1];
    if (next) done = proxy.hold(next);
    hub = await startHub({ dir: hub.dir, env });
  }
  await fleet.allConnected();
}

/** A change of dev goes through staging into prod, whose pull request is merged. What came of it, without times and ids. */
async function carry(value: string, disturbed?: Promise<void>) {
  const before = await gitea.api('GET', `repos/${REPOSITORY}/pulls?state=all`);
  const since = new Date().toISOString();
  const commit = await gitea.commit(REPOSITORY, { [fileOf('dev')]: configMap(value) });
  // What a webhook would do.
  await fleet.client.repositories.refresh(repository);
  await disturbed;
  const staging = await changed(
    'staging',
    `to have ${value}`,
    (change) => change.commit === commit && change.state === 'done',
  );
  const made = await commitsFor(staging, 'main');
  expect(made).toEqual([staging.result]);
  const prod = await changed(
    'prod',
    `to be offered ${value}`,
    (change) => change.commit === staging.result && change.state === 'open',
  );
  const open = await gitea.api('GET', `repos/${REPOSITORY}/pulls?state=open`);
  expect(open.map(({ number }: { number: number }) => number)).toEqual([prod.pullRequest!.number]);
  const offered = await commitsFor(prod, encodeURIComponent(BRANCH));
  expect(offered).toEqual([open[0].head.sha]);
  // Gitea looks into its own time whether a pull request may be merged.
  await eventually(
    async () => {
      await gitea.api('POST', `repos/${REPOSITORY}/pulls/${open[0].number}/merge`, { Do: 'merge' });
      return true;
    },
    { what: 'the pull request to be merged' },
  );
  const merged = await changed(
    'prod',
    `to have ${value}`,
    ({ id, state }) => id === prod.id && state === 'done',
  );
  const all = await gitea.api('GET', `repos/${REPOSITORY}/pulls?state=all`);
  const { items } = await fleet.client.audit({ object: 'promotion/web', action: 'promotion.*', since });
  return {
    ends: [staging.state, merged.state],
    values: await Promise.all(ENVIRONMENTS.map((name) => valueIn(name))),
    opened: all.length - before.length,
    audited: items.map(({ action, details }) => `${action} ${String(details['environment'])}`).sort(),
  };
}

describe.skipIf(problem)('a hub that is killed before it heard what became of its push', () => {
  const isPush = ({ path, body }: Asked, branch: string) =>
    path.endsWith('/git-receive-pack') && body.includes(`refs/heads/${branch}`);
  const moments = [
    (asked: Asked) => isPush(asked, 'main'),
    (asked: Asked) => isPush(asked, BRANCH),
    ({ method, path }: Asked) => method === 'POST' && path.endsWith('/pulls'),
  ];

  it('or of its pull request comes to the same end: one commit, one pull request, one word of each in the audit log', async () => {
    const calm = await carry('calm');
    expect(calm).toMatchObject({ ends: ['done', 'done'], values: ['calm', 'calm', 'calm'], opened: 1 });
    expect(await carry('killed', killAt(moments))).toEqual({
      ...calm,
      values: ['killed', 'killed', 'killed'],
    });
  });
});
