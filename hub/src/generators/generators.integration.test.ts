import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { SetViews } from '../applicationsets/set-views.service.ts';
import { type TestHub, startTestHub } from '../applications/pipeline.fixture.ts';
import { DecisionsService } from './decisions.service.ts';
import { PluginsService } from './plugins.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-generators-'));
const TOKEN = 'a-plugin-token';
let hub: TestHub;
let server: Server;
let parameters: object[] | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    const isKnown = request.headers.authorization === `Bearer ${TOKEN}`;
    response.writeHead(!isKnown ? 401 : parameters ? 200 : 503);
    response.end(JSON.stringify(parameters ? { output: { parameters } } : { message: 'resting' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  hub = await startTestHub(folder);
  for (const name of ['dev', 'prod']) await hub.cluster(name);
  hub.commit({ 'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' }, 'first');
});
afterAll(async () => {
  await hub?.stop();
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const set = (name: string, generator: object) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name },
  spec: {
    goTemplate: true,
    goTemplateOptions: ['missingkey=error'],
    generators: [generator],
    template: {
      metadata: { name: `${name}-{{ .name }}` },
      spec: {
        project: 'default',
        source: { repoURL: hub.url, path: 'app', targetRevision: 'main' },
        destination: { name: '{{ .values.cluster }}', namespace: name },
      },
    },
  },
});
const view = (name: string) =>
  hub.running.app.get(SetViews, { strict: false }).get(systemActor, 'argocd', name);
const trouble = async (name: string) =>
  (await view(name)).conditions.find((one) => one.type === 'ErrorOccurred' && one.status === 'True')?.message;

describe('the plugin generator', () => {
  const plugins = () => hub.running.app.get(PluginsService, { strict: false });
  const register = (token: string) => {
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return plugins().set('fleet', { baseUrl, token, timeoutSeconds: 5 }, systemActor);
  };

  test('waits for its plugin to be registered, and says how', async () => {
    parameters = [{ name: 'a' }, { name: 'b' }];
    const plugin = { configMapRef: { name: 'fleet' }, values: { cluster: 'dev' } };
    await hub.apply([set('asked', { plugin })]);
    await hub.eventually(async () => expect(await trouble('asked')).toContain('there is no plugin fleet'));
    await register(TOKEN);
    await hub.assignment('dev', 'asked-a');
    await hub.assignment('dev', 'asked-b');
    expect(await trouble('asked')).toBeUndefined();
  });

  test('keeps its token sealed, and out of the audit log and every answer', async () => {
    const row = await hub.db.selectFrom('plugins').selectAll().executeTakeFirstOrThrow();
    expect(row.token_sealed.includes(TOKEN)).toBe(false);
    expect(JSON.stringify(await plugins().list(systemActor))).not.toContain(TOKEN);
    const audit = await hub.db.selectFrom('audit').select(['action', 'object', 'details']).execute();
    expect(JSON.stringify(audit)).not.toContain(TOKEN);
    expect(audit).toContainEqual(expect.objectContaining({ action: 'plugin.add', object: 'plugin/fleet' }));
  });

  test('keeps the last good expansion while its plugin is down or refuses the token', async () => {
    parameters = undefined;
    await register(TOKEN);
    await hub.eventually(async () => expect(await trouble('asked')).toContain('status code 503: resting'));
    parameters = [];
    await register('another');
    await hub.eventually(async () => expect(await trouble('asked')).toContain('status code 401'));
    expect((await view('asked')).applications).toBe(2);
    expect((await hub.app('asked-a')).leaving).toBeUndefined();
    parameters = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
    await register(TOKEN);
    await hub.assignment('dev', 'asked-c');
  });

  test('keeps it when the plugin is forgotten', async () => {
    await plugins().remove('fleet', systemActor);
    await hub.eventually(async () => expect(await trouble('asked')).toContain('there is no plugin fleet'));
    expect((await view('asked')).applications).toBe(3);
    await expect(plugins().remove('fleet', systemActor)).rejects.toMatchObject({ code: 'not-found' });
  });

  test.each(['ftp://x', 'no url', 'https://user:pw@x', 'https://x?y=z', 'file:///etc/passwd'])(
    'refuses the address %s',
    async (baseUrl) => {
      const wrong = plugins().set('wrong', { baseUrl, token: 't', timeoutSeconds: 5 }, systemActor);
      await expect(wrong).rejects.toMatchObject({ code: 'invalid', where: 'baseUrl' });
    },
  );
});

describe('the clusterDecisionResource generator', () => {
  const decisions = () => hub.running.app.get(DecisionsService, { strict: false });
  const apply = (...documents: Record<string, unknown>[]) => decisions().apply({ documents }, systemActor);
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ocm', namespace: 'argocd' },
    data: {
      apiVersion: 'cluster.open-cluster-management.io/v1beta1',
      kind: 'placementdecisions',
      statusListKey: 'decisions',
      matchKey: 'clusterName',
    },
  };
  const placement = (name: string, ...clusters: string[]) => ({
    apiVersion: 'cluster.open-cluster-management.io/v1beta1',
    kind: 'PlacementDecision',
    metadata: { name, namespace: 'argocd', labels: { placement: 'all' }, uid: 'dropped' },
    spec: { dropped: true },
    status: { decisions: clusters.map((clusterName) => ({ clusterName, reason: '' })) },
  });
  const decided = {
    clusterDecisionResource: {
      configMapRef: 'ocm',
      labelSelector: { matchLabels: { placement: 'all' } },
      values: { cluster: 'dev' },
    },
  };

  test('follows decisions that are handed to the hub, as soon as they are', async () => {
    await hub.apply([set('placed', decided)]);
    await hub.eventually(async () => expect(await trouble('placed')).toContain('configmaps "ocm" not found'));
    const { items } = await apply(placement('one', 'dev', 'unknown'), configMap);
    expect(items.map(({ resource, result }) => `${resource} ${result}`)).toEqual([
      'placementdecisions created',
      'configmaps created',
    ]);
    await hub.assignment('dev', 'placed-dev');
    expect((await view('placed')).applications).toBe(1);
    await apply(placement('two', 'prod'));
    await hub.assignment('dev', 'placed-prod');
  });

  test('a cluster that is registered later is decided on already', async () => {
    await apply(placement('two', 'prod', 'late'));
    await hub.cluster('late');
    await hub.assignment('dev', 'placed-late');
  });

  test('what is the same is not written, and nothing is expanded for it', async () => {
    const { items } = await apply(configMap, placement('one', 'dev', 'unknown'));
    expect(items.map(({ result }) => result)).toEqual(['unchanged', 'unchanged']);
    const rows = await hub.db.selectFrom('decision_documents').selectAll().execute();
    expect(rows.some((row) => row.document_sealed.includes('clusterName'))).toBe(false);
  });

  test('a decision that is taken back takes its Application away; all of them gone is an error, and nothing goes', async () => {
    const at = { apiVersion: placement('x').apiVersion, resource: 'placementdecisions' };
    await decisions().remove({ ...at, name: 'two' }, systemActor);
    await hub.eventually(async () => expect((await hub.app('placed-prod')).leaving).toBeDefined());
    await decisions().remove({ ...at, name: 'one' }, systemActor);
    await hub.eventually(async () =>
      expect(await trouble('placed')).toContain('no clusterDecisionResources found'),
    );
    expect((await hub.app('placed-dev')).leaving).toBeUndefined();
  });

  test.each([
    [{ ...configMap, data: { baseUrl: 'http://x', token: '$s:t' } }, 'names no apiVersion and kind'],
    [
      { ...placement('x'), metadata: { name: 'x', namespace: 'other' } },
      'only resources of the namespace argocd',
    ],
    [{ kind: 'Duck', metadata: { name: 'x' } }, 'apiVersion'],
    [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' }, data: {} }, 'must be GROUP/VERSION'],
    [{ ...placement('x'), status: { a: 'x'.repeat(1024 * 1024) } }, 'larger than 1 MiB'],
  ])('a document that no generator would read is refused', async (document, message) => {
    await expect(apply(document)).rejects.toThrow(message);
  });
});
