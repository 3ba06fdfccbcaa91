import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import {
  type ApplicationOptions,
  type Document,
  application,
  applicationSet,
  configMap,
  deployment,
} from './testing/documents.ts';

const CLUSTERS = ['dev', 'prod'];
const WEB = CLUSTERS.map((name) => `web-${name}`);

let fleet: Fleet;
let secret: string;

beforeAll(async () => {
  fleet = await startFleet({ clusters: CLUSTERS });
  ({ secret } = await fleet.client.tokens.create({ name: 'bootstrap' }));
});
afterAll(() => fleet?.stop());

/** A document as a file of the fleet. */
function inWave(wave: number, document: Document): string {
  const annotations = { 'argocd.argoproj.io/sync-wave': String(wave) };
  return stringify({ ...document, metadata: { ...(document.metadata as object), annotations } });
}

const project: Document = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'shop' },
  spec: {
    sourceRepos: ['*'],
    destinations: [{ server: '*', namespace: '*' }],
    clusterResourceWhitelist: [{ group: '*', kind: '*' }],
  },
};

const app = (name: string, options: Partial<ApplicationOptions> = {}) =>
  application(fleet.repository.url, name, { on: 'dev', project: 'shop', ...options });

/** An Application of the project in every cluster. */
const web = () =>
  applicationSet(fleet.repository.url, 'web', {
    generators: [{ clusters: {} }],
    applicationName: 'web-{{name}}',
    source: { path: 'web' },
    destination: { name: '{{name}}', namespace: 'web' },
    project: 'shop',
    finalizer: true,
  });

const muster = (...args: string[]) => fleet.muster(secret, ...args);
const bootstrap = () =>
  muster('bootstrap', '--repo', fleet.repository.url, '--path', 'fleet/', '--timeout', '2m');

/** A child as its root shows it. */
async function shown(kind: string, name: string): Promise<Record<string, unknown> | undefined> {
  const { resources } = await fleet.client.applications.resources('argocd', 'root');
  return resources.find((one) => one.kind === kind && one.name === name);
}

/** Waits until the root says of a child what matches. */
const says = (kind: string, name: string, message: RegExp) =>
  eventually(
    async (see) => {
      const child = await shown(kind, name);
      see(child);
      return message.test(String(child?.message));
    },
    { what: `the root to say ${message} of ${kind} ${name}`, timeout: 40_000 },
  );

const gone = (what: string, name: string) =>
  eventually(async () => (await fleet.findApp(name)) === undefined, { what, timeout: 40_000 });

describe('a fleet from a folder in Git', () => {
  it('is brought up by muster bootstrap: project, set and Application, wave after wave', async () => {
    await fleet.repository.commit(
      {
        'fleet/project.yaml': inWave(-1, project),
        'fleet/web.yaml': inWave(0, web()),
        'fleet/late.yaml': inWave(1, app('late', { finalizer: true })),
        'fleet/extra.yaml': inWave(0, app('extra', { finalizer: true })),
        'fleet/orphan.yaml': inWave(0, app('orphan')),
        'web/deployment.yaml': deployment('web', 'shop/web'),
        'late/settings.yaml': configMap('settings', { wave: '1' }),
        'extra/settings.yaml': configMap('settings', { wave: '0' }),
        'orphan/settings.yaml': configMap('settings', { wave: '0' }),
      },
      'a fleet',
    );
    const { code, stdout, stderr } = await bootstrap();
    expect(code, stderr + stdout).toBe(0);
    expect(stdout).toMatch(/^application\/argocd\/root created/);
    expect(await fleet.app('root')).toMatchObject({
      sync: 'Synced',
      health: 'Healthy',
      conditions: [],
      operation: { phase: 'Succeeded' },
    });
    for (const name of CLUSTERS) {
      const { status } = await fleet.kube(name).get('apps/v1/Deployment', 'web/web');
      expect(status.readyReplicas).toBe(2);
    }
    expect((await fleet.kube('dev').get('v1/ConfigMap', 'late/settings')).data).toEqual({ wave: '1' });

    const history = (name: string) => fleet.client.applications.history('argocd', name);
    const late = await history('late');
    const made = Date.parse(late.releases.at(-1)!.at);
    expect(Date.parse(late.deployments.at(-1)!.appliedAt)).toBeGreaterThanOrEqual(made);
    for (const name of [...WEB, 'extra', 'orphan']) {
      const [first] = (await history(name)).deployments.slice(-1);
      expect(made, `late was made when ${name} was healthy`).toBeGreaterThan(Date.parse(first!.healthyAt!));
    }
  });

  it('and again, which changes nothing', async () => {
    const before = await fleet.client.applications.history('argocd', 'root');
    const { code, stdout, stderr } = await bootstrap();
    expect(code, stderr + stdout).toBe(0);
    expect(stdout).toMatch(/^application\/argocd\/root unchanged/);
    expect(await fleet.client.applications.history('argocd', 'root')).toEqual(before);
  });
});

describe('a child document that cannot be applied', () => {
  const colourful = () => inWave(1, { ...app('late'), colour: 'blue' });

  it('is a condition that names the file and the object; the others are applied', async () => {
    await fleet.push(
      {
        'fleet/late.yaml': colourful(),
        'fleet/extra.yaml': null,
        'fleet/new.yaml': inWave(0, app('new', { path: 'extra', namespace: 'new' })),
      },
      'a mistake',
    );
    await fleet.synced('new');
    const { type, message } = await fleet.condition('root', /late/);
    expect(type).toBe('InvalidChild');
    expect(message).toMatch(/^Application argocd\/late: fleet\/late\.yaml:\d+: .*colour/);
    await says('Application', 'extra', /kept while a document cannot be read/);
    expect((await fleet.app('extra')).leaving).toBeUndefined();
    await fleet.synced(['late', 'extra', 'orphan', ...WEB]);
  });

  it('is named as well where it is no YAML, and nothing changes meanwhile', async () => {
    await fleet.push({ 'fleet/late.yaml': 'kind: Application\n  spec: {' }, 'a worse mistake');
    await fleet.condition('root', /fleet\/late\.yaml/);
    await fleet.synced(['late', 'extra', 'orphan', 'new', ...WEB]);
    expect((await fleet.app('late')).root).toBe('argocd/root');
  });

  it('is forgotten with its repair', async () => {
    await fleet.push(
      {
        'fleet/late.yaml': inWave(1, app('late', { finalizer: true })),
        'fleet/extra.yaml': inWave(0, app('extra', { finalizer: true })),
      },
      'repaired',
    );
    await fleet.until(
      'root',
      'to have forgotten it',
      ({ conditions, operation }) => conditions.length === 0 && operation?.phase === 'Succeeded',
    );
    await fleet.synced('root');
  });
});

describe('a child that left Git', () => {
  it('is shown as leaving and goes, with its objects only where its finalizer says so', async () => {
    await fleet.push({ 'fleet/extra.yaml': null, 'fleet/orphan.yaml': null }, 'two fewer');
    await says('Application', 'extra', /^leaving$/);
    expect((await fleet.app('extra')).leaving).toMatchObject({ action: 'uninstall' });
    expect((await fleet.app('orphan')).leaving).toMatchObject({ action: 'orphan' });
    await gone('extra to go', 'extra');
    await gone('orphan to go', 'orphan');
    const dev = fleet.kube('dev');
    expect(await dev.find('v1/ConfigMap', 'extra/settings')).toBeUndefined();
    expect((await dev.get('v1/ConfigMap', 'orphan/settings')).data).toEqual({ wave: '0' });
    await fleet.synced('root');
  });

  it('and is a set with Applications, waits for an approval', async () => {
    await fleet.push({ 'fleet/web.yaml': null }, 'no web');
    await says('ApplicationSet', 'web', /leaving: waits for an approval: all 2 Applications of the set/);
    for (const name of WEB) expect((await fleet.app(name)).leaving).toBeUndefined();
    const { code, stdout, stderr } = await muster(
      'app',
      'approve-deletions',
      'root',
      '--reason',
      'web is no more',
    );
    expect(code, stderr + stdout).toBe(0);
    for (const name of WEB) await gone(`${name} to go`, name);
    await fleet.everywhere('no web', async (kube) => !(await kube.find('apps/v1/Deployment', 'web/web')));
    await eventually(async () => (await shown('ApplicationSet', 'web')) === undefined, {
      what: 'the set to be gone',
      timeout: 40_000,
    });
    await fleet.synced('root');
  });
});
