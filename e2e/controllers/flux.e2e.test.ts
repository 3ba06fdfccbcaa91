import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Fleet, startFleet } from '../spine/fleet.ts';
import { application, configMap, deployment } from '../spine/testing/documents.ts';
import { Repository } from '../spine/testing/repository.ts';
import { eventually } from '../src/index.ts';
import { BUILDING, type Controllers, drifted, startFlux } from './testing/controllers.ts';
import { type GitServer, startGitServer } from '../../hub/src/sources/git-http.fixture.ts';

const NAME = 'team';
const KUSTOMIZATION = 'kustomize.toolkit.fluxcd.io/v1/Kustomization';

let fleet: Fleet;
let controllers: Controllers;
let server: GitServer;
/** What Flux follows; Muster does not know it. */
let workloads: Repository;

beforeAll(async () => {
  fleet = await startFleet({ clusters: ['dev'], env: { MUSTER_POLL_SECONDS: '3600' } });
  const root = join(fleet.dir, 'flux');
  workloads = await Repository.create(join(root, 'workloads'));
  await workloads.commit(web('fine'), 'the first version');
  server = await startGitServer(root);
  controllers = await startFlux(fleet.member('dev').plane);
}, BUILDING);

afterAll(async () => {
  await controllers?.stop();
  await server?.stop();
  await fleet?.stop();
});

const web = (tag: string) => ({
  'web/deployment.yaml': deployment('web', `web:${tag}`),
  'web/settings.yaml': configMap('settings', { tag }),
});

/** Flux's objects, as Muster delivers them. */
function objects({ path = './web', branch = 'main' } = {}): Record<string, string> {
  const metadata = { name: 'workloads' };
  const repository = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata,
    spec: { url: `${server.url}/workloads/.git`, ref: { branch }, interval: '1s', timeout: '20s' },
  };
  const kustomization = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata,
    spec: {
      sourceRef: { kind: 'GitRepository', name: 'workloads' },
      path,
      targetNamespace: NAME,
      prune: true,
      wait: true,
      interval: '10m',
      retryInterval: '1s',
      timeout: '2m',
    },
  };
  return {
    [`${NAME}/repository.yaml`]: stringify(repository),
    [`${NAME}/kustomization-of-flux.yaml`]: stringify(kustomization),
  };
}

/** Health and message of Flux's objects, by kind. */
async function health(): Promise<Record<string, string>> {
  const { resources } = await fleet.client.applications.resources('argocd', NAME);
  return Object.fromEntries(
    resources.map(({ kind, health: status, message }) => [kind, `${status}: ${message}`]),
  );
}

const image = async () => {
  const found = await fleet.kube('dev').find('apps/v1/Deployment', `${NAME}/web`);
  return found?.spec.template.spec.containers[0].image;
};
const runs = (wanted: string) =>
  eventually(async (see) => see(await image()) === wanted, { what: `the image ${wanted}`, timeout: 60_000 });

const degraded = (commit: string, message: string) =>
  fleet.until(
    NAME,
    `to be Degraded with "${message}"`,
    (app) =>
      app.health === 'Degraded' && app.healthMessage.includes(message) && app.revision?.commit === commit,
  );

describe('a GitRepository and a Kustomization of Flux, delivered from Git', () => {
  it('are Healthy once Flux applied what they name; what Flux makes is not Muster’s', async () => {
    const commit = await fleet.push(objects(), 'the workloads of the team');
    await fleet.apply(application(fleet.repository.url, NAME, { on: 'dev', finalizer: true }));
    await fleet.synced(NAME, commit);
    expect(await image()).toBe('web:fine');
    expect(Object.keys(await health()).sort()).toEqual(['GitRepository', 'Kustomization']);
    for (const type of ['apps/v1/Deployment', 'v1/ConfigMap']) {
      const { metadata } = await fleet
        .kube('dev')
        .get(type, `${NAME}/${type.endsWith('Map') ? 'settings' : 'web'}`);
      expect(metadata.labels).toMatchObject({ 'kustomize.toolkit.fluxcd.io/name': 'workloads' });
      expect(JSON.stringify(metadata)).not.toContain('muster');
    }
  });

  it('are Progressing while what Flux applied is not ready, and Healthy when it is', async () => {
    await workloads.commit(web('broken'), 'a version that never starts');
    await runs('web:broken');
    await fleet.until(
      NAME,
      'to be Progressing',
      (app) => app.health === 'Progressing' && app.sync === 'Synced',
    );
    await eventually(async () => (await health())['Kustomization']?.startsWith('Progressing'), {
      what: 'the Kustomization to be Progressing',
    });
    await workloads.commit(web('better'), 'a version that does');
    await runs('web:better');
    await fleet.synced(NAME);
  });

  it('are Degraded with what Flux says of a path that is not there, and Healthy once Git is repaired', async () => {
    await degraded(
      await fleet.push(objects({ path: './nowhere' }), 'a wrong path'),
      'kustomization path not found',
    );
    expect(await image()).toBe('web:better');
    await fleet.synced(NAME, await fleet.revert());
  });

  it('are Degraded with what Flux says of a branch that is not there, and Healthy once Git is repaired', async () => {
    await degraded(await fleet.push(objects({ branch: 'gone' }), 'a wrong branch'), 'GitOperationFailed');
    expect((await health())['GitRepository']).toContain('gone');
    await fleet.synced(NAME, await fleet.revert());
    expect(await drifted(fleet, NAME)).toEqual([]);
  });

  it('leave in an order in which Flux can take its own objects away', async () => {
    await fleet.client.applications.remove('argocd', NAME);
    await eventually(async () => !(await fleet.findApp(NAME)), {
      what: 'the Application to leave',
      timeout: 60_000,
    });
    const kube = fleet.kube('dev');
    expect(await kube.find(KUSTOMIZATION, `${NAME}/workloads`)).toBeUndefined();
    expect(await kube.find('apps/v1/Deployment', `${NAME}/web`)).toBeUndefined();
    expect(await kube.find('v1/ConfigMap', `${NAME}/settings`)).toBeUndefined();
  });
});
