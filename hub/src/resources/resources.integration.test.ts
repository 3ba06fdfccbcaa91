import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { hubClient } from '@muster/api/client';
import { AnswerRequest, Command } from '@muster/proto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LinkFixture } from '../agents/testing/fixture.ts';
import { TestAgent } from '../agents/testing/test-agent.ts';
import { application } from '../applications/pipeline.fixture.ts';
import { AsksService } from '../asks/asks.service.ts';
import { readConfig } from '../config.ts';
import { type RunningHub, startHub } from '../hub.ts';
import { Keys } from '../keys/keys.ts';
import { makeRepository } from '../sources/repository.fixture.ts';
import { eventually } from '../testing/index.ts';

async function all<T>(of: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of of) items.push(item);
  return items;
}

const node = {
  ...{ key: 'apps/Deployment/shop/web', group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop' },
  ...{ name: 'web', uid: 'u1', parents: [], managed: true, hook: false, sync: 'Synced', health: 'Healthy' },
  ...{ message: '', createdAt: '2026-01-01T00:00:00Z', facts: [{ name: 'ready', value: '1/1' }] },
};
const TREE = { nodes: [node], notes: [], truncated: false };
const line = (text: string) => ({ pod: 'web-1', namespace: 'shop', container: 'main', time: '', text });
const data = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)) });
const lines = (...texts: string[]) => ({
  data: Buffer.from(texts.map((text) => `${JSON.stringify(line(text))}\n`).join('')),
});
const end = (more = {}) => ({ end: { code: '', message: '', hint: '', cut: '', ...more } });

describe('objects in clusters, with two replicas', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-resources-'));
  let one: LinkFixture;
  let two: RunningHub;
  let agent: TestAgent;

  beforeAll(async () => {
    const keysDir = join(folder, 'keys');
    await Keys.open(keysDir);
    one = await LinkFixture.start({ MUSTER_KEYS_DIR: keysDir, MUSTER_LEASE_SECONDS: '600' });
    const env = { MUSTER_DATA_DIR: join(folder, 'two'), DATABASE_URL: one.hub.database.url };
    const allowed = { MUSTER_KEYS_DIR: keysDir, MUSTER_ALLOW_FILE_REPOSITORIES: 'true' };
    const ports = { MUSTER_HTTP_PORT: '0', MUSTER_SESSION_PORT: '0', MUSTER_ENROL_PORT: '0' };
    two = await startHub(readConfig({ ...env, ...ports, ...allowed }), pino({ level: 'silent' }));
    agent = await one.agent('dev');
    const repository = makeRepository(folder, 'repo');
    repository.commit({ 'web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n' }, 'first');
    const documents = [application(repository, 'web', 'web')];
    const applied = await one.hub.request('POST', '/api/v1/apply', { body: { documents } });
    expect(applied.status, JSON.stringify(applied.body)).toBe(200);
    agent.connect();
    await eventually(() => expect(agent.link.held.size).toBe(1));
  });
  afterAll(async () => {
    agent?.disconnect();
    await two?.stop();
    await one?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    agent.onAsk = undefined;
    agent.asks.length = 0;
    agent.cancelled.length = 0;
  });

  /** As the admin, at the first replica or at the second, where no session is. */
  const at = (replica: 'one' | 'two', more = {}) =>
    hubClient({
      hub: replica === 'one' ? one.hub.url : two.listening.http!,
      cookie: one.hub.adminCookie,
      ...more,
    });
  const answers = (...messages: Partial<AnswerRequest>[]) => {
    agent.onAsk = ({ id }) => void agent.answer({ askId: id }, ...messages).end();
  };
  const userWith = async (role: string) => {
    const name = `u-${role}`;
    const user = await one.hub.request('POST', '/api/v1/users', {
      body: { name, password: 'a long enough one' },
    });
    expect(user.status).toBe(201);
    await one.hub.request('POST', '/api/v1/role-bindings', {
      body: { user: name, role, project: 'default' },
    });
    const { cookie } = await at('one').session.login({ name, password: 'a long enough one' });
    return { cookie };
  };

  it.each(['one', 'two'] as const)('a tree comes from the agent to replica %s', async (replica) => {
    answers(data(TREE), end());
    const tree = await at(replica).applications.tree('argocd', 'web');
    expect(tree).toMatchObject({ cluster: 'dev', nodes: [node], truncated: false });
    expect(tree.nodes[0]!.actions).toContain('restart');
    expect(agent.asks[0]).toMatchObject({ actor: 'admin', applicationName: 'web', query: { $case: 'tree' } });
    await eventually(async () => {
      expect(await one.db.selectFrom('asks').selectAll().execute()).toEqual([]);
      expect(await one.db.selectFrom('answers').selectAll().execute()).toEqual([]);
    });
  });

  it('a long log crosses to the other replica in order, no faster than it is read', async () => {
    let written = 0;
    agent.onAsk = ({ id }) => {
      const call = agent.answer({ askId: id });
      for (; written < 120; written++) call.write(lines(`line ${written}`, 'x'.repeat(60_000)));
      call.write(end({ cut: '3 lines were left' }));
      call.end();
    };
    const got: string[] = [];
    let cut = '';
    for await (const event of at('two').applications.logs('argocd', 'web', { resource: '/Pod/shop/web-1' })) {
      if (event.type === 'end') cut = event.end.cut;
      else if (!event.line.text.startsWith('x')) got.push(event.line.text);
      const rows = await one.db.selectFrom('answers').select('sequence').execute();
      expect(rows.length).toBeLessThanOrEqual(12);
    }
    expect(got).toEqual(Array.from({ length: 120 }, (_, index) => `line ${index}`));
    expect(cut).toBe('3 lines were left');
  });

  it('nothing of an answer can be read in the database', async () => {
    agent.onAsk = ({ id }) => void agent.answer({ askId: id }, lines('s3cr3t-in-a-log'));
    // The reader is stuck, so that pieces stay in the table.
    const asks = two.app.get(AsksService, { strict: false });
    const gone = new AbortController();
    const reading = asks.ask(
      {
        cluster: { id: await one.clusterId('dev'), name: 'dev' },
        application: { namespace: 'argocd', name: 'web' },
        query: { $case: 'tree', value: {} },
        actor: 'test',
        maxSeconds: 60,
        maxBytes: 1_000_000,
      },
      gone.signal,
    );
    const seen: string[] = [];
    const watch = async () => {
      for (const row of await one.db.selectFrom('answers').selectAll().execute())
        seen.push(row.data_sealed.toString('latin1'));
    };
    const first = reading.next();
    const looking = setInterval(() => void watch(), 1);
    expect((await first).value!.toString()).toContain('s3cr3t-in-a-log');
    clearInterval(looking);
    expect(seen.join()).not.toContain('s3cr3t');
    gone.abort();
    await reading.next().catch(() => undefined);
  });

  it.each(['one', 'two'] as const)('who hangs up at replica %s ends it in the cluster', async (replica) => {
    let call: ReturnType<TestAgent['answer']> | undefined;
    agent.onAsk = ({ id }) => {
      call = agent.answer({ askId: id }, lines('first'));
    };
    const hangUp = new AbortController();
    const logs = at(replica).applications.logs('argocd', 'web', { follow: true }, { signal: hangUp.signal });
    expect((await logs.next()).value).toMatchObject({ type: 'line', line: { text: 'first' } });
    hangUp.abort();
    expect((await call!.ended)?.code).toBe(status.NOT_FOUND);
    await eventually(() => expect(agent.cancelled).toContain(agent.asks[0]!.id));
    await logs.next().catch(() => undefined);
  });

  it('what nobody keeps alive any more ends in the cluster, though nobody says so', async () => {
    let call: ReturnType<TestAgent['answer']> | undefined;
    agent.onAsk = ({ id }) => {
      call = agent.answer({ askId: id }, lines('first'));
    };
    const hangUp = new AbortController();
    const logs = at('two').applications.logs('argocd', 'web', { follow: true }, { signal: hangUp.signal });
    await logs.next();
    // As the sweep does, after the replica that waits has died.
    await one.db.deleteFrom('asks').execute();
    expect((await call!.ended)?.code).toBe(status.NOT_FOUND);
    hangUp.abort();
    await logs.next().catch(() => undefined);
  });

  it('words of the agent become an error of the API', async () => {
    answers(end({ code: 'forbidden', message: 'this is not yours', hint: 'look at the tree' }));
    const resource = '/Pod/other/x';
    await expect(at('two').applications.resource('argocd', 'web', { resource })).rejects.toMatchObject({
      code: 'forbidden',
      message: 'this is not yours',
      hint: 'look at the tree',
    });
    await expect(all(at('one').applications.logs('argocd', 'web'))).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it('what an agent makes up is not passed on', async () => {
    answers(data({ nodes: [{ key: 1 }] }), end());
    await expect(at('one').applications.tree('argocd', 'web')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('an answer that nobody asked for, or that another cluster gives, is refused', async () => {
    const other = await one.agent('other');
    other.connect();
    await eventually(() => expect(other.welcome).toBeDefined());
    const unasked = other.answer({ askId: '00000000-0000-7000-8000-000000000000' });
    expect((await unasked.ended)?.code).toBe(status.NOT_FOUND);
    agent.onAsk = ({ id }) => {
      void other.answer({ askId: id }, data({ ...TREE, notes: ['forged'] }), end()).ended.then((error) => {
        expect(error?.code).toBe(status.NOT_FOUND);
        agent.answer({ askId: id }, data(TREE), end()).end();
      });
    };
    expect((await at('one').applications.tree('argocd', 'web')).notes).toEqual([]);
    other.disconnect();
  });

  it('viewers look, operators read logs and act, admins take away what holds data', async () => {
    answers(data(TREE), end());
    const as = async (role: string) => at('one', await userWith(role)).applications;
    const viewer = await as('viewer');
    const operator = await as('operator');
    expect((await viewer.tree('argocd', 'web')).nodes).toHaveLength(1);
    const forbidden = { code: 'forbidden' };
    await expect(all(viewer.logs('argocd', 'web'))).rejects.toMatchObject(forbidden);
    const resource = 'apps/Deployment/shop/web';
    await expect(viewer.act('argocd', 'web', { resource, action: 'restart' })).rejects.toMatchObject(
      forbidden,
    );
    answers(lines('hello'), end());
    const read = await all(operator.logs('argocd', 'web', { tailLines: 5, reason: 'a page' }));
    expect(read).toEqual([
      { type: 'line', line: line('hello') },
      { type: 'end', end: { cut: '' } },
    ]);
    const { command } = await operator.act('argocd', 'web', { resource, action: 'restart', reason: 'stuck' });
    await eventually(() => expect(agent.commands.map(({ id }) => id)).toContain(command));
    const sent = agent.commands.find(({ id }) => id === command) as Command;
    expect(sent).toMatchObject({
      actor: 'u-operator',
      verb: { $case: 'act', value: { action: 'restart', object: { kind: 'Deployment', name: 'web' } } },
    });
    const claim = '/PersistentVolumeClaim/shop/data';
    const lose = { resource: claim, action: 'delete', parameters: { data: 'true' } };
    await expect(operator.act('argocd', 'web', lose)).rejects.toMatchObject(forbidden);
    await at('one').applications.act('argocd', 'web', lose);
    await expect(operator.act('argocd', 'web', { resource, action: 'explode' })).rejects.toMatchObject({
      code: 'invalid',
    });
    const { items } = await at('one').audit();
    expect(items.slice(0, 3)).toMatchObject([
      { actor: 'admin', action: 'application.resource.delete', details: { resource: claim } },
      { actor: 'u-operator', action: 'application.resource.restart', reason: 'stuck', details: { command } },
      { actor: 'u-operator', action: 'application.logs', reason: 'a page', details: { tailLines: 5 } },
    ]);
  });

  it('an agent that is too old, and one that is silent, are told of at once', async () => {
    const old = await one.agent('old');
    await one.db
      .updateTable('assignments')
      .set({ cluster_id: await one.clusterId('old') })
      .execute();
    await one.db
      .updateTable('applications')
      .set({ cluster_id: await one.clusterId('old') })
      .execute();
    old.features = [];
    old.connect();
    await eventually(() => expect(old.welcome).toBeDefined());
    await expect(at('two').applications.tree('argocd', 'web')).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/the agent of old .* is too old/),
    });
    old.disconnect();
    await one.db
      .updateTable('clusters')
      .set({ last_seen_at: new Date(Date.now() - 3_600_000) })
      .where('name', '=', 'old')
      .execute();
    await expect(at('two').applications.tree('argocd', 'web')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the agent of old has been silent since 20'),
    });
    // What would be a command that waits is refused as well.
    await expect(at('one').applications.diff('argocd', 'web')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the agent of old has been silent since 20'),
    });
    const resource = 'apps/Deployment/shop/web';
    await expect(
      at('one').applications.act('argocd', 'web', { resource, action: 'restart' }),
    ).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('what a silent cluster said last is shown as that, and not as what is now', async () => {
    const key = '/ConfigMap/shop/a';
    const then = new Date(Date.now() - 3_700_000);
    const said = { kind: 'ConfigMap', namespace: 'shop', name: 'a', sync: 'Synced', health: 'Healthy' };
    const target = { application_namespace: 'argocd', application_name: 'web', sync: 'Synced' };
    const version = { epoch: 1n, generation: 1n, bundle_digest: 'd', health: 'Healthy' };
    const times = { observed_at: then, sync_since: then, health_since: then };
    const resources = JSON.stringify({ [key]: said });
    const cluster_id = await one.clusterId('old');
    await one.db
      .insertInto('target_status')
      .values({ cluster_id, ...target, ...version, ...times, resources })
      .execute();
    expect(await at('one').applications.resources('argocd', 'web')).toMatchObject({
      observedAt: then.toISOString(),
      silentSince: expect.stringContaining('20') as string,
      resources: [
        {
          key,
          sync: 'Unknown',
          health: 'Unknown',
          lastObserved: { sync: 'Synced', health: 'Healthy', at: then.toISOString() },
        },
      ],
    });
    await one.db
      .updateTable('clusters')
      .set({ last_seen_at: new Date() })
      .where('name', '=', 'old')
      .execute();
    const heard = await at('one').applications.resources('argocd', 'web');
    expect(heard.resources).toEqual([{ key, ...said }]);
    expect(heard.silentSince).toBeUndefined();
  });
});
