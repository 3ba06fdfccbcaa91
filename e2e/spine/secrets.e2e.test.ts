import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Canaries, type Leak, eventually, freePort } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { type Document, application, applicationSet, rolloutPolicy } from './testing/documents.ts';
import { callGetRoutes, parameterSets } from './testing/get-routes.ts';
import { type Heard, monitorRedis, startOutside } from './testing/outside.ts';
import { LAST_APPLIED, base64, plantedFiles, secret } from './testing/planted.ts';

const canaries = new Canaries();
let fleet: Fleet;
/** Hears traces, and calls of the plugin generator, whose errors quote what was sent. */
let outside: Heard;
/** What the hub answered and the command line printed. */
const said: string[] = [];
const events: string[] = [];
const ended = new AbortController();
let redis: Heard | undefined;
let metricsPort: number;

const app = (name: string, source: object = {}, more: object = {}) =>
  application(fleet.repository.url, name, { on: 'dev', source: source as never, ...more });

beforeAll(async () => {
  outside = await startOutside();
  fleet = await startFleet({
    clusters: ['dev'],
    env: {
      MUSTER_LOG_LEVEL: 'trace',
      MUSTER_WEBHOOK_SECRET_GITLAB: canaries.plant('webhook secret'),
      OTEL_EXPORTER_OTLP_ENDPOINT: outside.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '200',
    },
  });
  canaries.add('password of admin', fleet.hub.adminPassword);
  await logEveryStatement();
  if (fleet.redis) redis = await monitorRedis(fleet.redis.url);
  await agentSaysEverything();
  void readEvents();
});

afterAll(async () => {
  ended.abort();
  redis?.close();
  await fleet?.stop();
  outside?.close();
});

/** Does something that may be refused, and keeps what is said of it. */
async function say(act: Promise<unknown>): Promise<void> {
  const answer = await act.catch((thrown: unknown) => thrown);
  said.push(
    answer instanceof Error
      ? `${answer.name}: ${answer.message} ${JSON.stringify(answer)} ${String(answer.cause)}`
      : (JSON.stringify(answer) ?? ''),
  );
}

const conditionOf = (name: string, pattern: RegExp) =>
  fleet.until(
    name,
    `to say ${pattern}`,
    ({ conditions, operation, healthMessage }) =>
      pattern.test(JSON.stringify([conditions, operation, healthMessage])),
    60_000,
  );

describe('secrets that are planted everywhere', () => {
  it('reach their Secrets, and make trouble in every way', async () => {
    await fleet.push(plantedFiles(canaries), 'all kinds of secrets');
    const helm = (settings: object) => ({ path: 'chart', helm: settings });
    const inline = (name: string) => ({
      db: { password: canaries.plant(name) },
      inline: canaries.plant(`${name}, used`),
    });
    await say(
      fleet.apply(
        rolloutPolicy('careful', { stages: [{ name: 'all' }] }),
        app('plain'),
        app('refused'),
        app('typed'),
        app('immutable'),
        app('broken'),
        app('kustomize'),
        app('kustomize-broken'),
        app('hooks'),
        app('broken-values', { helm: { valueFiles: ['prod.yaml'] } }),
        app('values', helm({ values: stringify(inline('values')) })),
        app('values-object', helm({ valuesObject: inline('valuesObject') })),
        app(
          'parameters',
          helm({
            valueFiles: ['prod.yaml'],
            parameters: [{ name: 'inline', value: canaries.plant('parameter') }],
          }),
        ),
        app('fails', helm({ valuesObject: { ...inline('fails'), mode: 'fail' } })),
        app('renders-broken', helm({ valuesObject: { ...inline('renders-broken'), mode: 'broken' } })),
        app('no-yaml', helm({ values: `password: ${canaries.plant('broken values')}\n b: c: d\n` })),
        applicationSet(fleet.repository.url, 'listed', {
          generators: [
            { list: { elements: [{ name: 'listed', password: canaries.plant('list element') }] } },
          ],
          goTemplate: true,
          applicationName: '{{ .name }}',
          annotations: { 'muster.dev/rollout-policy': 'careful' },
          source: {
            path: 'chart',
            helm: { valuesObject: { db: { password: '{{ .password }}' }, inline: 'x' } },
          },
          destination: { name: 'dev', namespace: 'listed' },
        }),
        applicationSet(fleet.repository.url, 'unlisted', {
          generators: [
            { list: { elements: [{ name: 'x', password: canaries.plant('failing list element') }] } },
          ],
          goTemplate: true,
          applicationName: '{{ fail (printf "no name for %s" .password) }}',
          source: { path: 'chart' },
          destination: { name: 'dev', namespace: 'listed' },
        }),
      ),
    );
    await fleet.synced([
      'plain',
      'kustomize',
      'immutable',
      'values',
      'values-object',
      'parameters',
      'listed',
    ]);
    for (const name of ['refused', 'typed', 'hooks']) await conditionOf(name, /Failed/);
    for (const name of ['broken', 'kustomize-broken', 'broken-values', 'fails', 'renders-broken'])
      await fleet.until(name, 'to say what is wrong', ({ conditions }) => conditions.length > 0, 60_000);
    const { data } = await fleet.kube('dev').get('v1/Secret', 'values/values');
    expect(Buffer.from(data.inline, 'base64').toString()).toBe(canaries.plant('values, used'));
  });

  it('drift, are compared, planned, changed and refused', async () => {
    const { kube } = fleet.member('dev');
    const byHand = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'plain' },
      stringData: { a: canaries.plant('last-applied by hand') },
    };
    await fleet.apply(app('plain', {}, { syncPolicy: { automated: { selfHeal: false } } }));
    await kube.patch(
      'v1/Secret',
      'plain/plain',
      {
        metadata: { annotations: { [LAST_APPLIED]: JSON.stringify(byHand) } },
        data: { a: base64(canaries.plant('typed by hand')), more: base64(canaries.plant('added by hand')) },
      },
      { fieldManager: 'kubectl-client-side-apply' },
    );
    await kube.patch('v1/ConfigMap', 'plain/url', {
      data: { url: `redis://:${canaries.plant('stringData')}@other` },
    });
    await fleet.until('plain', 'to have drifted', ({ sync }) => sync === 'OutOfSync');
    await fleet.push(
      {
        'immutable/s.yaml': secret('immutable', {
          immutable: true,
          stringData: { a: canaries.plant('immutable, changed') },
        }),
      },
      'an immutable Secret changes',
    );
    await conditionOf('immutable', /immutable|refused the Secret/);

    const { secret: token } = await fleet.client.tokens.create({
      name: 'canaries',
    });
    canaries.add('API token', token);
    const file = join(fleet.dir, 'planned.yaml');
    const planned: Document = app('plain', {
      helm: { values: `password: ${canaries.plant('planned values')}\n` },
    });
    await writeFile(file, stringify(planned));
    const muster = async (...args: string[]) => {
      const { stdout, stderr } = await fleet.muster(token, ...args);
      said.push(`muster ${args.join(' ')}\n${stdout}\n${stderr}`);
    };
    await muster('app', 'diff', 'plain');
    await muster('app', 'diff', 'plain', '-o', 'json');
    await muster('app', 'get', 'plain', '-o', 'yaml', '--refresh');
    for (const name of ['plain', 'refused', 'fails', 'values', 'hooks']) {
      await muster('app', 'get', name);
      await muster('app', 'history', name);
    }
    await muster('plan', '-f', file, '--full');
    await muster('plan', '-f', file, '-o', 'json');
    await muster('app', 'sync', 'plain', '--dry-run', '--wait');
    await muster('app', 'accept-drift', 'plain');
    await muster('app', 'sync', 'refused', '--wait');
    await muster('audit', 'list');
  });

  it('are what opens repositories, plugins and the hub itself', async () => {
    const { repositories, plugins, joinTokens, users, roleBindings } = fleet.client;
    const credentials = { username: 'ada', password: canaries.plant('repository password') };
    await say(repositories.add({ url: `${outside.url}/git/one.git`, credentials }));
    await say(repositories.add({ url: `${outside.url}/git/two.git`, credentials, skipCheck: true }));
    await say(
      repositories.add({
        url: `${outside.url}/charts`,
        kind: 'helm',
        credentials: { username: 'ada', password: canaries.plant('helm password') },
      }),
    );
    await say(
      repositories.add({
        url: 'ssh://git@127.0.0.1:1/x.git',
        credentials: {
          sshPrivateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${canaries.plant('ssh key')}\n-----END OPENSSH PRIVATE KEY-----\n`,
        },
      }),
    );
    await say(
      repositories.add({
        url: outside.url.replace('http://', `http://ada:${canaries.plant('password in a URL')}@`),
      }),
    );
    await say(fleet.apply(app('from-two', {}, { repoURL: `${outside.url}/git/two.git` })));
    const withPassword = (name: string) =>
      `${outside.url.replace('http://', `http://ada:${canaries.plant(name)}@`)}/git/x.git`;
    await say(fleet.apply(app('in-url', {}, { repoURL: withPassword('password in repoURL') })));
    expect(said.at(-1)).toMatch(/repoURL holds a password/);
    await say(
      fleet.apply(
        applicationSet(fleet.repository.url, 'in-urls', {
          generators: [{ list: { elements: [{ name: 'made-in-url' }] } }],
          goTemplate: true,
          applicationName: '{{ .name }}',
          source: { repoURL: withPassword('password in repoURL of a set'), path: 'chart' },
          destination: { name: 'dev', namespace: 'x' },
        }),
      ),
    );
    await say(plugins.set('echo', { baseUrl: outside.url, token: canaries.plant('plugin token') }));
    await say(
      fleet.apply(
        applicationSet(fleet.repository.url, 'plugged', {
          generators: [
            {
              plugin: {
                configMapRef: { name: 'echo' },
                input: { parameters: { password: canaries.plant('plugin input') } },
              },
            },
          ],
          goTemplate: true,
          applicationName: '{{ .name }}',
          source: { path: 'chart' },
          destination: { name: 'dev', namespace: 'x' },
        }),
      ),
    );
    const invited = await joinTokens.create({ name: 'guest' });
    canaries.add('join token', invited.token);
    await users.create({ name: 'viewer', password: canaries.plant('password of a user') });
    await roleBindings.create({ user: 'viewer', role: 'viewer' });
    await say(fleet.as('viewer', `${canaries.plant('wrong password')}`));
    await say(
      fetch(`${fleet.hub.url}/api/v1/apply`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${canaries.plant('unknown token')}`,
        },
        body: `{"documents": [{"password": ${canaries.plant('broken body')}}]}`,
      }).then((answer) => answer.text()),
    );
    await eventually(() => outside.heard.some((text) => text.includes('getparams')), {
      what: 'the call of the plugin',
    });
    await eventually(() => outside.heard.some((text) => text.includes('/git/two.git')), {
      what: 'the fetch with credentials',
      timeout: 60_000,
    });
  });

  it('are in no answer of the API, for nobody', async () => {
    const admin = await cookieOf('admin', fleet.hub.adminPassword);
    const viewer = await cookieOf('viewer', canaries.plant('password of a user'));
    for (const cookie of [admin, viewer]) {
      const { answers, unknown } = await callGetRoutes(
        { hub: fleet.hub.url, headers: { cookie: canaries.add('session', cookie.split('=')[1]!) && cookie } },
        await parameterSets(fleet),
      );
      expect(unknown, 'routes whose parameters this test does not know: see `parameterSets`').toEqual([]);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(20);
      const leaks = answers.flatMap(({ url, text }) => canaries.in(text).map((leak) => ({ url, ...leak })));
      expect(leaks.filter(({ url, planted }) => !isOwnSpecification(url, planted))).toEqual([]);
    }
    const texts = await Promise.all(
      [`${fleet.hub.url}/metrics`, `http://127.0.0.1:${metricsPort}/metrics`].map(async (url) =>
        (await fetch(url)).text(),
      ),
    );
    const leaks: Record<string, Leak[]> = {
      metrics: canaries.in(texts.join('\n')),
      said: canaries.in(said.join('\n')),
      events: canaries.in(events.join('\n')),
    };
    expect(events.length).toBeGreaterThan(0);
    expect(leaks).toEqual({ metrics: [], said: [], events: [] });
  });

  it('are in no log, no trace and no file but keys', async () => {
    const hubLog = await readFile(join(fleet.hub.dir, 'hub.log'), 'utf8');
    const agentLog = await readFile(fleet.member('dev').log, 'utf8');
    expect(hubLog).toContain('"level":"debug"');
    expect(canaries.in(hubLog), "the hub's log").toEqual([]);
    expect(canaries.in(agentLog), "the agent's log").toEqual([]);
    await eventually(() => outside.heard.some((text) => text.includes('/v1/traces')), { what: 'traces' });
    const traces = outside.heard.filter((text) => text.includes('/v1/traces')).join('\n');
    expect(canaries.in(traces), 'traces').toEqual([]);
  });

  it('are in no table, and in nothing that was ever written to the database or the queue', async () => {
    const tables = await fleet.sql<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    );
    expect(tables.length).toBeGreaterThan(30);
    for (const { name } of tables) {
      const rows = await fleet.sql<{ row: string }>(`select t::text as row from ${name} t`);
      for (const { row } of rows) expect(canaries.inRow(row), name).toEqual([]);
    }
    const log = await readFile(join(fleet.hub.dir, 'postgres/postgres.log'), 'utf8');
    expect(log).toMatch(/insert into "?applications"?/i);
    expect(canaries.in(log), 'statements').toEqual([]);
    const written = redis?.heard.join('') ?? '';
    expect(canaries.in(written), 'commands of Redis').toEqual([]);
    if (redis) expect(written.toUpperCase()).toContain('EVALSHA');
  });

  it('are sealed where the agent and the hub keep them', async () => {
    for (const folder of await readdir(fleet.hub.dir, { recursive: true, withFileTypes: true })) {
      if (!folder.isFile() || /postgres|mirrors|repositories/.test(folder.parentPath)) continue;
      if (folder.name === 'admin-password') continue;
      const bytes = await readFile(join(folder.parentPath, folder.name));
      expect(canaries.inBytes(bytes), folder.name).toEqual([]);
    }
  });
});

/**
 * Who may see an Application sees its specification, without what looks secret or ended in a Secret. As long as it has
 * not been rendered, nothing says that other values will.
 */
function isOwnSpecification(url: string, planted: string): boolean {
  return /argocd\/(fails|renders-broken)$/.test(url) && planted.endsWith(', used');
}

/** From now on the database's log holds every statement with its parameters. */
async function logEveryStatement(): Promise<void> {
  await fleet.sql("alter system set log_statement = 'all'");
  await fleet.sql('select pg_reload_conf()');
}

async function agentSaysEverything(): Promise<void> {
  const { installed, agent } = fleet.member('dev');
  await agent.stop();
  metricsPort = await freePort();
  Object.assign(installed.env, {
    MUSTER_AGENT_LOG_LEVEL: 'trace',
    MUSTER_AGENT_HEALTH_PORT: String(metricsPort),
  });
  await fleet.startAgent('dev');
  await fleet.connected('dev');
}

async function readEvents(): Promise<void> {
  const headers = { cookie: await cookieOf('admin', fleet.hub.adminPassword) };
  const answer = await fetch(`${fleet.hub.url}/api/v1/events`, { headers, signal: ended.signal });
  const text = new TextDecoder();
  try {
    for await (const chunk of answer.body!) events.push(text.decode(chunk as Uint8Array, { stream: true }));
  } catch (thrown) {
    if (!ended.signal.aborted) throw thrown;
  }
}

async function cookieOf(name: string, password: string): Promise<string> {
  const answer = await fetch(`${fleet.hub.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password }),
  });
  expect(answer.status).toBeLessThan(300);
  return answer.headers.getSetCookie()[0]!.split(';', 1)[0]!;
}
