import { sql } from 'kysely';
import { parseDocument } from '@muster/base';
import { expect, test } from 'vitest';
import { ApplyService } from '../applications/apply.service.ts';
import { application } from '../applications/pipeline.fixture.ts';
import { project, rootsFixture } from './roots.fixture.ts';

const on = rootsFixture();
const { child, conditionsOf, get, names, push, report, root } = on;

test('a root writes what whoever applied it may write, and no more', async () => {
  await on.hub.apply([parseDocument(project('team')) as Record<string, unknown>]);
  await push({
    'rights/own.yaml': child('own'),
    'rights/foreign.yaml': child('foreign').replace('project: default', 'project: team'),
    'rights/project.yaml': project('grab'),
  });
  const bob = {
    kind: 'user' as const,
    name: 'bob',
    grants: [{ role: 'operator' as const, project: 'default' }],
  };
  const documents = [root('rights', 'rights')];
  await get(ApplyService).apply({ documents, dryRun: false }, bob);
  await on.hub.assignment('dev', 'own');
  await on.hub.eventually(async () =>
    expect((await conditionsOf('rights')).map((one) => `${one.type} ${one.message}`).sort()).toEqual([
      expect.stringMatching(
        /^ProjectDenied AppProject grab: AppProjects need the role admin: .* applied by bob/,
      ),
      expect.stringMatching(
        /^ProjectDenied Application argocd\/foreign: project team is not .* applied by bob/,
      ),
    ]),
  );
  expect(await names()).not.toContain('foreign');
  // The same document from somebody who may.
  await on.hub.apply(documents);
  await on.hub.assignment('dev', 'foreign');
  await on.hub.eventually(async () => expect(await conditionsOf('rights')).toEqual([]));
  const { rows } = await sql<{
    actor: string;
  }>`select actor from audit where object = 'application/argocd/foreign'`.execute(on.hub.db);
  expect(rows).toEqual([{ actor: 'root:argocd/rights' }]);
});

test('a root in a project that does not permit everything holds only children of that project', async () => {
  const team = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'narrow' },
    spec: {
      sourceRepos: ['*'],
      destinations: [
        { name: 'dev', namespace: 'shop' },
        { server: 'https://kubernetes.default.svc', namespace: 'argocd' },
      ],
    },
  };
  await push({
    'narrow/n1.yaml': child('n1').replace('project: default', 'project: narrow'),
    'narrow/n2.yaml': child('n2'),
    'narrow/n3.yaml': child('n3')
      .replace('project: default', 'project: narrow')
      .replace('  name: n3', '  name: n3\n  namespace: kube-system'),
  });
  await on.hub.apply([team, root('narrow', 'narrow', { project: 'narrow' })]);
  await on.hub.assignment('dev', 'n1');
  await on.hub.eventually(async () => {
    const messages = (await conditionsOf('narrow')).map((one) => one.message).join('\n');
    expect(messages).toMatch(/n2: project default is not what a root of project narrow may write/);
    expect(messages).toMatch(/does not allow the namespace kube-system/);
  });
  expect(await names()).not.toContain('n2');
});

test('a root may hold itself and other roots, but not in circles', async () => {
  const file = (name: string, path: string) => JSON.stringify(root(name, path));
  await push({
    'self/top.yaml': file('top', 'self'),
    'self/below.yaml': file('below', 'below'),
    'below/leaf.yaml': child('leaf'),
    'below/top.yaml': file('top', 'self'),
  });
  await on.hub.apply([root('top', 'self')]);
  await on.hub.assignment('dev', 'leaf');
  await report('leaf', 'Healthy');
  await on.hub.eventually(async () => {
    expect(await conditionsOf('below')).toMatchObject([
      {
        type: 'ChildRefused',
        message: 'Application argocd/top: it is a root above this one: roots may not go in circles',
      },
    ]);
  });
  await push({ 'below/top.yaml': null });
  await on.hub.eventually(async () =>
    expect(await on.hub.app('top')).toMatchObject({ sync: 'Synced', health: 'Healthy' }),
  );
  expect((await on.hub.app('below')).root).toBe('argocd/top');
});

test('a set makes a root for each team, which holds what whoever applied the set may write', async () => {
  await push({
    'teams/red/red-app.yaml': child('red-app'),
    'teams/blue/blue-app.yaml': child('blue-app').replace('project: default', 'project: team'),
  });
  const elements = [{ team: 'red' }, { team: 'blue' }];
  const teams = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'teams' },
    spec: {
      generators: [{ list: { elements } }],
      template: {
        metadata: { name: 'team-{{team}}' },
        spec: {
          project: 'default',
          source: { repoURL: on.hub.url, path: 'teams/{{team}}', targetRevision: 'main' },
          destination: { server: 'muster://hub', namespace: 'argocd' },
          syncPolicy: { automated: { prune: true } },
        },
      },
    },
  };
  const carol = {
    kind: 'user' as const,
    name: 'carol',
    grants: [{ role: 'operator' as const, project: 'default' }],
  };
  await get(ApplyService).apply({ documents: [teams], dryRun: false }, carol);
  await on.hub.assignment('dev', 'red-app');
  await report('red-app', 'Healthy');
  await on.hub.eventually(async () =>
    expect(await on.hub.app('team-red')).toMatchObject({ ofHub: true, sync: 'Synced', health: 'Healthy' }),
  );
  expect(await on.hub.app('red-app')).toMatchObject({ root: 'argocd/team-red' });
  await on.hub.eventually(async () =>
    expect(await conditionsOf('team-blue')).toMatchObject([
      {
        type: 'ProjectDenied',
        message: expect.stringMatching(/blue-app: project team is not .* applied by carol/),
      },
    ]),
  );
  expect(await names()).not.toContain('blue-app');
});

test('what somebody applied is refused where it differs, and taken over where it is the same', async () => {
  await push({ 'owned/mine.yaml': child('mine'), 'owned/same.yaml': child('same') });
  await on.hub.apply([application(on.hub, 'mine', 'workload', { project: 'default' })]);
  const same = application(on.hub, 'same', 'workload', { syncPolicy: { automated: {} } });
  await on.hub.apply([{ ...same, metadata: { name: 'same', annotations: {} } } as typeof same]);
  await on.hub.apply([root('owner', 'owned'), root('other', 'owned')]);
  const refusal = async (name: string) => (await conditionsOf(name)).map((one) => one.message);
  await on.hub.eventually(async () => {
    expect(await refusal('owner')).toContainEqual(
      'Application argocd/mine: it belongs to nobody: somebody applied it directly, and differently',
    );
    const holders = [await refusal('owner'), await refusal('other')].flat();
    expect(holders).toContainEqual(
      expect.stringMatching(/^Application argocd\/same: it belongs to the root argocd\/(owner|other)$/),
    );
  });
  expect((await on.hub.app('same')).root).toMatch(/owner|other/);
  expect((await on.hub.app('mine')).root).toBeUndefined();
});
