import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Fleet, startFleet } from './fleet.ts';
import { application, applicationSet, configMap, deployment } from './testing/documents.ts';

let fleet: Fleet;
const CLUSTERS = ['dev', 'staging', 'prod'];
const on = (prefix: string) => CLUSTERS.map((name) => `${prefix}-${name}`);

beforeAll(async () => {
  // Nothing is polled: what happens here, happens because a webhook or a user said so.
  fleet = await startFleet({ env: { MUSTER_POLL_SECONDS: '3600' } });
});
afterAll(() => fleet?.stop());

const push: Fleet['push'] = (files, message) => fleet.push(files, message);

describe('a commit reaches all three clusters', () => {
  it('as plain YAML, by an ApplicationSet with a list generator', async () => {
    const sha = await push(
      { 'plain/settings.yaml': configMap('settings', { greeting: 'hello' }) },
      'plain YAML',
    );
    const elements = CLUSTERS.map((cluster) => ({ cluster, team: 'shop' }));
    await fleet.apply(
      applicationSet(fleet.repository.url, 'plain', {
        generators: [{ list: { elements } }],
        applicationName: 'plain-{{cluster}}',
        source: { path: 'plain' },
        destination: { name: '{{cluster}}', namespace: 'plain-{{team}}' },
      }),
    );
    await fleet.synced(on('plain'), sha);
    for (const { kube } of fleet.all) {
      expect((await kube.get('v1/ConfigMap', 'plain-shop/settings')).data).toEqual({ greeting: 'hello' });
    }
  });

  it('as kustomize overlays, by a clusters generator and the fasttemplate engine', async () => {
    const overlay = (env: string, replicas: number) => ({
      [`web/overlays/${env}/kustomization.yaml`]: [
        'resources: [../../base]',
        `namePrefix: ${env}-`,
        `replicas: [{ name: web, count: ${replicas} }]`,
        'images: [{ name: shop/web, newTag: 1.4.0 }]',
      ].join('\n'),
    });
    const sha = await push(
      {
        'web/base/kustomization.yaml': 'resources: [deployment.yaml]\n',
        'web/base/deployment.yaml': deployment('web', 'shop/web'),
        ...overlay('dev', 1),
        ...overlay('staging', 2),
        ...overlay('prod', 3),
      },
      'kustomize',
    );
    await fleet.apply(
      applicationSet(fleet.repository.url, 'web', {
        generators: [{ clusters: { selector: { matchExpressions: [{ key: 'env', operator: 'Exists' }] } } }],
        applicationName: 'web-{{name}}',
        source: { path: 'web/overlays/{{metadata.labels.env}}' },
        destination: { name: '{{name}}', namespace: 'web' },
      }),
    );
    await fleet.synced(on('web'), sha);
    for (const [i, name] of CLUSTERS.entries()) {
      const web = await fleet.kube(name).get('apps/v1/Deployment', `web/${name}-web`);
      expect(web.spec.replicas).toBe(i + 1);
      expect(web.spec.template.spec.containers[0].image).toBe('shop/web:1.4.0');
    }
  });

  it('as a Helm chart with values a cluster, by Go templates and {{.server}}', async () => {
    const sha = await push(
      {
        'api/Chart.yaml': 'apiVersion: v2\nname: api\nversion: 0.1.0\nappVersion: "2.1"\n',
        'api/values.yaml': 'region: nowhere\nlevel: info\n',
        'api/values/prod.yaml': 'level: warn\n',
        'api/values/dev.yaml': 'level: debug\n',
        'api/values/staging.yaml': 'level: info\n',
        'api/templates/settings.yaml': [
          'apiVersion: v1',
          'kind: ConfigMap',
          'metadata:',
          '  name: {{ .Release.Name }}-settings',
          'data:',
          '  level: {{ .Values.level | quote }}',
          '  region: {{ .Values.region | upper | quote }}',
          '  version: {{ .Chart.AppVersion | quote }}',
        ].join('\n'),
      },
      'Helm',
    );
    await fleet.apply(
      applicationSet(fleet.repository.url, 'api', {
        goTemplate: true,
        generators: [
          { clusters: { selector: { matchLabels: { region: 'eu-central' } } } },
          { clusters: { selector: { matchLabels: { env: 'prod' } } } },
        ],
        applicationName: 'api-{{.name}}',
        source: {
          path: 'api',
          helm: {
            releaseName: 'api',
            valueFiles: ['values/{{.metadata.labels.env}}.yaml'],
            valuesObject: { region: '{{ index .metadata.labels "region" }}' },
          },
        },
        destination: { server: '{{.server}}', namespace: 'api' },
      }),
    );
    await fleet.synced(on('api'), sha);
    const settings = Object.fromEntries(
      await Promise.all(
        fleet.all.map(async ({ name, kube }) => [
          name,
          (await kube.get('v1/ConfigMap', 'api/api-settings')).data,
        ]),
      ),
    );
    expect(settings).toEqual({
      dev: { level: 'debug', region: 'EU-CENTRAL', version: '2.1' },
      staging: { level: 'info', region: 'EU-CENTRAL', version: '2.1' },
      prod: { level: 'warn', region: 'EU-WEST', version: '2.1' },
    });
  });

  it('and git revert takes it back', async () => {
    await push({ 'plain/settings.yaml': configMap('settings', { greeting: 'servus' }) }, 'another greeting');
    const greets = (greeting: string) =>
      fleet.everywhere(
        greeting,
        async (kube) => (await kube.get('v1/ConfigMap', 'plain-shop/settings')).data.greeting === greeting,
      );
    await greets('servus');
    const reverted = await fleet.revert();
    await greets('hello');
    await fleet.synced(on('plain'), reverted);
  });

  it('and what left the bundle is pruned', async () => {
    await push({ 'plain/extra.yaml': configMap('extra', { a: '1' }) }, 'one more');
    await fleet.everywhere('the new object', (kube) => kube.find('v1/ConfigMap', 'plain-shop/extra'));
    await push({ 'plain/extra.yaml': null }, 'one less');
    await fleet.everywhere(
      'the object to be gone',
      async (kube) => !(await kube.find('v1/ConfigMap', 'plain-shop/extra')),
    );
    await fleet.synced(on('plain'));
  });
});

describe('a webhook', () => {
  it('whose signature is wrong is refused, and fetches nothing', async () => {
    const { lastFetchAt } = (await fleet.client.repositories.list()).items[0]!;
    await fleet.repository.commit({ 'plain/b.yaml': configMap('b', {}) }, 'unheard');
    for (const path of ['/api/webhook', '/api/v1/webhooks/github', '/api/v1/webhooks/gitlab']) {
      expect((await fleet.webhook({ path, secret: 'not the secret' })).status).toBe(403);
    }
    expect((await fleet.client.repositories.list()).items[0]!.lastFetchAt).toBe(lastFetchAt);
  });

  it('whose signature is right has the commit fetched at once', async () => {
    const sha = await fleet.repository.head();
    expect((await fleet.webhook({ path: '/api/v1/webhooks/github' })).status).toBe(202);
    await fleet.synced(on('plain'), sha);
  });
});

describe('two Applications that claim the same object', () => {
  it('leave it to the first; the second names it and its owner', async () => {
    await push({ 'claim/a.yaml': configMap('claimed', { by: 'both' }) }, 'claims');
    const claim = (name: string) =>
      application(fleet.repository.url, name, { on: 'dev', path: 'claim', namespace: 'claim' });
    await fleet.apply(claim('claim-first'));
    await fleet.synced('claim-first');
    await fleet.apply(claim('claim-second'));
    const { message } = await fleet.condition('claim-second', /claimed/);
    expect(message).toContain('claim-first');
    expect((await fleet.app('claim-second')).sync).toBe('OutOfSync');
    await fleet.synced('claim-first');
  });
});

describe('an AppProject', () => {
  const project = (name: string, spec: Record<string, unknown>) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name },
    spec,
  });

  it('keeps its Applications to its repositories, destinations and kinds', async () => {
    const { url } = fleet.repository;
    await push(
      {
        'limited/a.yaml': configMap('limited', { a: '1' }),
        'crowded/a.yaml': configMap('crowded', { a: '1' }),
        'crowded/role.yaml':
          'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: too-much }\n',
        'elsewhere/a.yaml': configMap('stray', { a: '1' }, 'kube-system'),
      },
      'limits',
    );
    const destinations = [{ name: 'dev', namespace: 'team-*' }];
    const inTeam = { project: 'team', namespace: 'team-a' };
    await fleet.apply(
      project('team', { sourceRepos: [url], destinations }),
      project('strangers', { sourceRepos: ['https://git.example.com/*'], destinations }),
      application(url, 'limited', { ...inTeam, on: 'dev' }),
      application(url, 'crowded', { ...inTeam, on: 'dev' }),
      application(url, 'stray', { ...inTeam, on: 'dev', path: 'elsewhere' }),
    );
    await fleet.synced('limited');
    expect((await fleet.condition('crowded', /ClusterRole/)).message).toMatch(/team/);
    expect((await fleet.condition('stray', /kube-system/)).message).toMatch(/team/);
    const dev = fleet.kube('dev');
    expect(await dev.find('rbac.authorization.k8s.io/v1/ClusterRole', 'too-much')).toBeUndefined();
    expect(await dev.find('v1/ConfigMap', 'kube-system/stray')).toBeUndefined();

    const foreign = (name: string, options: Parameters<typeof application>[2]) =>
      fleet.apply(application(url, name, { ...inTeam, path: 'limited', ...options }));
    await expect(foreign('foreign-source', { on: 'dev', project: 'strangers' })).rejects.toThrow(
      /"strangers".*sourceRepos/,
    );
    expect(await fleet.findApp('foreign-source')).toBeUndefined();
    await foreign('foreign-namespace', { on: 'dev', namespace: 'shop' });
    expect((await fleet.condition('foreign-namespace', /"team".*shop/)).type).toBe('ProjectDenied');
    await foreign('foreign-cluster', { on: 'prod' });
    expect((await fleet.condition('foreign-cluster', /"team".*prod/)).type).toBe('ProjectDenied');
    expect(await dev.find('v1/ConfigMap', 'shop/limited')).toBeUndefined();
    expect(await fleet.kube('prod').find('v1/ConfigMap', 'team-a/limited')).toBeUndefined();
  });

  it('holds also for what an ApplicationSet generates', async () => {
    const set = applicationSet(fleet.repository.url, 'team-everywhere', {
      generators: [{ clusters: {} }],
      applicationName: 'team-{{name}}',
      source: { path: 'limited' },
      destination: { name: '{{name}}', namespace: 'team-b' },
      project: 'team',
    });
    await fleet.apply(set);
    await fleet.synced('team-dev');
    for (const name of ['staging', 'prod']) {
      const { type, message } = await fleet.condition(`team-${name}`, /"team"/);
      expect([type, message]).toEqual(['ProjectDenied', expect.stringContaining(name)]);
    }
    for (const name of ['staging', 'prod'])
      expect(await fleet.kube(name).find('v1/ConfigMap', 'team-b/limited')).toBeUndefined();
  });

  it('with a field that is not enforced yet is refused by that field’s name', async () => {
    await expect(
      fleet.apply(
        project('signed', {
          sourceRepos: ['*'],
          destinations: [],
          signatureKeys: [{ keyID: 'ABCDEF0123456789' }],
        }),
      ),
    ).rejects.toThrow(/signatureKeys/);
  });
});

describe('who may do what', () => {
  it('a viewer sees, but does not sync; an operator does', async () => {
    const { users, roleBindings, tokens } = fleet.client;
    for (const role of ['viewer', 'operator'] as const) {
      await users.create({ name: role, password: `${role}-password` });
      await roleBindings.create({ user: role, role });
    }
    const viewer = await fleet.as('viewer', 'viewer-password');
    expect((await viewer.applications.list()).items.length).toBeGreaterThan(0);
    await expect(viewer.applications.sync('argocd', 'plain-dev')).rejects.toMatchObject({
      code: 'forbidden',
    });
    const { secret } = await viewer.tokens.create({ name: 'cli' });
    const refused = await fleet.muster(secret, 'app', 'sync', 'plain-dev');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/operator|may not|forbidden/i);
    const operator = await fleet.as('operator', 'operator-password');
    const { command } = await operator.applications.sync('argocd', 'plain-dev');
    expect(await fleet.client.command(command, 30)).toMatchObject({
      outcome: 'succeeded',
      actor: 'operator',
    });
    expect((await tokens.list({ all: true })).items.map(({ name }) => name)).toContain('cli');
  });

  it('nobody gets in with a wrong password, or without any', async () => {
    await expect(fleet.as('admin', 'wrong password')).rejects.toMatchObject({ code: 'unauthenticated' });
    expect((await fetch(`${fleet.hub.url}/api/v1/applications`)).status).toBe(401);
  });
});

describe('muster on the command line', () => {
  it('applies, lists, waits, shows differences and clusters', async () => {
    const { secret } = await fleet.client.tokens.create({ name: 'smoke' });
    const muster = async (...args: string[]) => {
      const { code, stdout, stderr } = await fleet.muster(secret, ...args);
      expect(code, `muster ${args.join(' ')}: ${stderr}${stdout}`).toBe(0);
      return stdout;
    };
    await push({ 'cli/a.yaml': configMap('from-cli', { a: '1' }), 'cli.yaml': 'not: yaml: here' }, 'cli');
    const file = `${fleet.dir}/cli-application.yaml`;
    await writeFile(file, stringify(application(fleet.repository.url, 'cli', { on: 'staging' })));
    expect(await muster('apply', '-f', file)).toMatch(/cli.*created/);
    await muster('app', 'wait', 'cli', '--sync', '--health', '--timeout', '60s');
    const listed = JSON.parse(await muster('app', 'list', '-o', 'json')) as { name: string; sync: string }[];
    expect(listed).toContainEqual(expect.objectContaining({ name: 'cli', sync: 'Synced' }));
    await muster('app', 'diff', 'cli');
    await muster('app', 'sync', 'cli');
    expect(await muster('app', 'history', 'cli')).toMatch(/cli/);
    expect(await muster('cluster', 'list')).toMatch(/staging/);
  });
});
