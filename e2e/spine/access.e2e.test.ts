import { appendFile } from 'node:fs/promises';
import type { ResourceTree } from '@muster/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { application, deployment } from './testing/documents.ts';

let fleet: Fleet;
let admin: string;
const PLANTED = 'hunter2-in-a-secret';
// The agent of staging has the chart's narrower preset: Roles in one namespace, nothing of the cluster.
const CLUSTERS = ['dev', 'staging'];

beforeAll(async () => {
  fleet = await startFleet({ clusters: CLUSTERS, namespaces: { staging: ['shop'] } });
  const secret = `apiVersion: v1\nkind: Secret\nmetadata: { name: key }\nstringData: { password: ${PLANTED} }\n`;
  await fleet.repository.commit(
    { 'shop/web.yaml': deployment('web', 'nginx:1', 1), 'shop/key.yaml': secret },
    'first',
  );
  await fleet.apply(
    ...CLUSTERS.map((on) =>
      application(fleet.repository.url, `shop-${on}`, {
        on,
        path: 'shop',
        namespace: 'shop',
        ...(on === 'staging' && { syncPolicy: { automated: { prune: true, selfHeal: true } } }),
      }),
    ),
  );
  await fleet.synced(CLUSTERS.map((on) => `shop-${on}`));
  admin = (await fleet.client.tokens.create({ name: 'access' })).secret;
});
afterAll(() => fleet?.stop());

async function muster(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await fleet.muster(admin, ...args);
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}

const nodes = async (app: string) =>
  (JSON.parse(await muster('app', 'tree', app, '-o', 'json')) as ResourceTree).nodes;
const pods = async (app: string) => (await nodes(app)).filter(({ kind }) => kind === 'Pod');

describe.each(CLUSTERS)('an operator of %s, from the command line,', (on) => {
  const app = `shop-${on}`;

  it('sees what the Application owns, and no secret', async () => {
    const tree = await muster('app', 'tree', app);
    expect(tree).toMatch(/^Deployment\/web +Synced +Healthy/m);
    expect(tree).toMatch(/└─ ReplicaSet\/web-\w+ +- +Healthy/);
    expect(tree).toMatch(/ {3}└─ Pod\/web-\w+-\w+ +- +Healthy +\d+\w +Running, ready 1\/1/);
    const live = await muster('app', 'manifest', app, '--resource', 'Secret/key');
    expect(live).toContain('password: ••••••••');
    expect(await muster('app', 'manifest', app, '--resource', 'Secret/key', '--diff')).toContain(
      'as Git says',
    );
    expect(live + tree).not.toContain(PLANTED);
    expect(await muster('app', 'events', app, '--resource', 'Deployment/web')).toContain('ScalingReplicaSet');
  });

  it('reads logs, which is audited; following ends in the cluster when they hang up', async () => {
    const log = fleet.member(on).plane.podLog;
    const write = (text: string) => appendFile(log, `${new Date().toISOString()} stdout F ${text}\n`);
    await write(`hello from ${on}`);
    const [pod] = await pods(app);
    const read = await muster(
      'app',
      'logs',
      app,
      '--resource',
      'deploy/web',
      '--tail',
      '1',
      '--reason',
      'a page',
    );
    expect(read).toBe(`[${pod!.name} main] hello from ${on}\n`);
    const { items } = await fleet.client.audit({ limit: 20 });
    expect(items).toContainEqual(
      expect.objectContaining({
        actor: 'token:admin/access',
        action: 'application.logs',
        object: `application/argocd/${app}`,
        reason: 'a page',
      }),
    );
    const hangUp = new AbortController();
    const query = { resource: pod!.key, follow: true, tailLines: 1 };
    const followed = fleet.client.applications.logs('argocd', app, query, { signal: hangUp.signal });
    expect((await followed.next()).value).toMatchObject({ line: { text: `hello from ${on}` } });
    await write('a later line');
    expect((await followed.next()).value).toMatchObject({ line: { text: 'a later line' } });
    hangUp.abort();
    await followed.next().catch(() => undefined);
    // One line for the log that was read, one for the log that was followed until now.
    const answered = async () => (await fleet.member(on).agent.tail(500)).match(/"asked":"logs"/g) ?? [];
    await eventually(async () => (await answered()).length === 2, { what: 'the agent to stop following' });
  });

  it('restarts and deletes; self-heal takes neither for drift', async () => {
    const before = (await pods(app)).map(({ name }) => name);
    const said = await muster('app', 'restart', app, '--resource', 'Deployment/web', '--reason', 'stuck');
    expect(said).toContain('Deployment.apps shop/web: its Pods are made anew');
    await eventually(async () => (await pods(app)).every(({ name }) => !before.includes(name)), {
      what: 'other Pods',
      timeout: 30_000,
    });
    await fleet.synced(app);
    const [pod] = await pods(app);
    expect(await muster('app', 'delete-resource', app, '--resource', `Pod/${pod!.name}`)).toContain(
      'deleted',
    );
    await eventually(async () => !(await pods(app)).some(({ uid }) => uid === pod!.uid), {
      what: 'another Pod',
    });
    const stated = await fleet.muster(
      admin,
      'app',
      'scale',
      app,
      '--resource',
      'deploy/web',
      '--replicas',
      '4',
    );
    expect(stated.code).not.toBe(0);
    expect(stated.stderr).toContain('self-heal would put it back');
    expect(await muster('app', 'action', 'list', app, '--resource', 'deploy/web', '-o', 'name')).toContain(
      'restart',
    );
  });
});

describe('what is refused', () => {
  it('logs and actions for a viewer', async () => {
    await fleet.client.users.create({ name: 'vera', password: 'a long enough password' });
    await fleet.client.roleBindings.create({ user: 'vera', role: 'viewer', project: 'default' });
    const vera = await fleet.as('vera', 'a long enough password');
    const { secret } = await vera.tokens.create({ name: 'vera' });
    expect((await fleet.muster(secret, 'app', 'tree', 'shop-dev')).code).toBe(0);
    for (const args of [
      ['logs', 'shop-dev'],
      ['restart', 'shop-dev'],
    ]) {
      const refused = await fleet.muster(secret, 'app', ...args);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('needs the role operator');
    }
  });

  it('an agent that is silent, at once', async () => {
    const member = fleet.member('dev');
    await member.agent.kill();
    await fleet.until('shop-dev', 'to be silent', ({ clusterState }) => clusterState?.silentSince);
    const silent = await fleet.muster(admin, 'app', 'tree', 'shop-dev');
    expect(silent.code).not.toBe(0);
    expect(silent.stderr).toMatch(/the agent of dev has been silent since 20\d\d-/);
  });
});
