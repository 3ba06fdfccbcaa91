import { Action, CommandOutcome } from '@muster/proto/records';
import { describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import {
  type Data,
  CONFIG_MAP,
  DEPLOYMENT,
  LAST_APPLIED,
  adoptionOn,
  contentOf,
  inDefault,
  managersOf,
  marksOf,
} from './testing/adoption.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment, hookJob } from './testing/objects.ts';
import { appliedClientSide, appliedServerSide, argocdMark, fluxMark } from './testing/other-tools.ts';

const fixture = agentFixture('adoption', { MUSTER_AGENT_WAVE_PAUSE: '0' });
const { joined, find, gone, settled, ended, operation, condition, resource, reportedGone, result } = fixture;
const { tools, assign, workloadOf, kubectlApply, runs } = adoptionOn(fixture);

describe('a workload', () => {
  const labelled = (name: string) => {
    const one = deployment(name);
    return { ...one, metadata: { name, labels: { 'app.kubernetes.io/instance': 'shop' } } };
  };

  it.each([
    ['argocd', appliedClientSide, argocdMark, 'argocd-controller'],
    ['flux', appliedServerSide, fluxMark, 'kustomize-controller'],
  ] as const)('is adopted from %s and given back without a new Pod', async (adopt, apply, mark, manager) => {
    const name = `running-${adopt}`;
    await apply(fixture.cluster.kube, mark(inDefault(labelled(name))), manager);
    await runs(name);
    const before = await workloadOf(name);
    await joined();
    await assign(name, [labelled(name)], { adopt });
    await settled(name, 'Synced', 'Healthy');
    expect(await workloadOf(name)).toEqual(before);
    await fixture.hub.assign({ name, action: Action.ORPHAN });
    await reportedGone(name);
    expect(await workloadOf(name)).toEqual(before);
    // The tool comes back, with what Git says: nothing changes but who owns it.
    const back = (await find(DEPLOYMENT, name))!;
    const written = mark(inDefault(labelled(name)));
    if (apply === appliedServerSide) await apply(fixture.cluster.kube, written, manager);
    else await kubectlApply(written, manager);
    expect(contentOf((await find(DEPLOYMENT, name))!)).toEqual(contentOf(back));
    expect(await workloadOf(name)).toEqual(before);
  });

  it('keeps the replicas that an autoscaler set, whether Git says none or they are ignored', async () => {
    for (const name of ['scaled', 'scaled-ignored']) {
      await appliedClientSide(
        fixture.cluster.kube,
        argocdMark(inDefault(deployment(name))),
        'argocd-controller',
      );
      await fixture.cluster.kube.patch(
        DEPLOYMENT,
        `default/${name}`,
        { spec: { replicas: 3 } },
        { subresource: 'scale', fieldManager: 'kube-controller-manager' },
      );
      await runs(name, 3);
    }
    const { replicas: _autoscaled, ...spec } = deployment('scaled').spec;
    await joined();
    await assign('scaled', [{ ...deployment('scaled'), spec }], { adopt: 'argocd' });
    await fixture.hub.assign({
      name: 'scaled-ignored',
      objects: [deployment('scaled-ignored')],
      extra: {
        adopt: 'argocd',
        ignoreDifferences: [
          {
            group: 'apps',
            kind: 'Deployment',
            name: '',
            namespace: '',
            jsonPointers: ['/spec/replicas'],
            jqPathExpressions: [],
            managedFieldsManagers: [],
          },
        ],
      },
    });
    for (const name of ['scaled', 'scaled-ignored']) {
      await settled(name, 'Synced', 'Healthy');
      expect((await find(DEPLOYMENT, name))!.spec.replicas).toBe(3);
      const again = await result(fixture.hub.sync(name));
      expect(again.outcome).toBe(CommandOutcome.SUCCEEDED);
      expect((await find(DEPLOYMENT, name))!.spec.replicas).toBe(3);
      expect((await find(DEPLOYMENT, name))!.metadata.annotations).not.toHaveProperty([
        'argocd.argoproj.io/tracking-id',
      ]);
    }
  });

  it('of a HelmRelease keeps its pods when the chart comes from Muster', async () => {
    const name = 'released';
    const object = inDefault({
      ...labelled(name),
      metadata: {
        name,
        labels: {
          'app.kubernetes.io/managed-by': 'Helm',
          'helm.toolkit.fluxcd.io/name': name,
          'helm.toolkit.fluxcd.io/namespace': 'default',
        },
        annotations: { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': 'default' },
      },
    });
    await appliedServerSide(fixture.cluster.kube, object, 'helm-controller');
    await runs(name);
    const before = await workloadOf(name);
    await joined();
    const wanted = {
      ...deployment(name),
      metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
    };
    await assign(name, [wanted], { adopt: 'helm' });
    await ended(name, 'Failed');
    expect(operation(name)!.message).toContain('Flux HelmRelease default/released');
    await assign(name, [wanted], { adopt: 'flux' });
    await settled(name, 'Synced', 'Healthy');
    expect(await workloadOf(name)).toEqual(before);
    const { labels, annotations } = (await find(DEPLOYMENT, name))!.metadata;
    expect(labels).toEqual({
      'app.kubernetes.io/managed-by': 'Helm',
      'muster.dev/application': `argocd.${name}`,
    });
    expect(Object.keys(annotations!)).not.toContain('meta.helm.sh/release-name');
  });
});

describe('what is not adopted', () => {
  const tracked = (name: string, data: Data = { a: '1' }) =>
    appliedServerSide(
      fixture.cluster.kube,
      argocdMark(inDefault(configMap(name, data))),
      'argocd-controller',
    );

  it('lets the rest go where the Application says FailOnForeignResource=false, and is adopted later', async () => {
    const before = await tracked('rest-foreign', { a: '1', b: '2' });
    await joined();
    const objects = [configMap('rest-foreign', { a: '2' }), configMap('rest-own', { a: '1' })];
    const options = ['FailOnForeignResource=false'];
    await assign('rest', objects, { options });
    await ended('rest', 'Succeeded');
    expect(operation('rest')!.message).toBe('1 applied, 1 left alone, as another tool tracks them');
    await settled('rest', 'OutOfSync');
    expect(resource('rest', 'rest-own')!.sync).toBe('Synced');
    await fixture.cluster.kube.patch(CONFIG_MAP, 'default/rest-own', { data: { a: '9' } });
    await eventually(async () => (await find(CONFIG_MAP, 'rest-own'))!.data.a === '1', {
      what: 'the rest to be healed',
    });
    expect((await find(CONFIG_MAP, 'rest-foreign'))!.metadata.resourceVersion).toBe(
      before.metadata.resourceVersion,
    );
    await assign('rest', [configMap('rest-own', { a: '1' })], { options });
    await settled('rest');
    expect(await find(CONFIG_MAP, 'rest-foreign')).toBeDefined();
    await assign('rest', objects, { options, adopt: 'any' });
    await eventually(() => resource('rest', 'rest-foreign')?.sync === 'Synced', { what: 'it to be adopted' });
    expect((await find(CONFIG_MAP, 'rest-foreign'))!.data).toEqual({ a: '2' });
  });

  it('a hook of another tool is not deleted for one of that name', async () => {
    const theirs = inDefault(hookJob('their-hook', 'PreSync'));
    await appliedServerSide(fixture.cluster.kube, argocdMark(theirs), 'argocd-controller');
    const uid = (await find('batch/v1/Job', 'their-hook'))!.metadata.uid;
    await joined();
    await assign('hooked', [configMap('hooked'), hookJob('their-hook', 'PreSync')], {
      options: ['FailOnForeignResource=false'],
    });
    await ended('hooked', 'Failed');
    expect((await find('batch/v1/Job', 'their-hook'))!.metadata.uid).toBe(uid);
    expect(await find(CONFIG_MAP, 'hooked')).toBeUndefined();
    await assign('hooked', [configMap('hooked'), hookJob('their-hook', 'PreSync')], { adopt: 'argocd' });
    await settled('hooked');
    expect((await find('batch/v1/Job', 'their-hook'))!.metadata.uid).not.toBe(uid);
  });

  it('an object of another Application of Muster is not adopted by `any`', async () => {
    await joined();
    await assign('owner', [configMap('owned')]);
    await settled('owner');
    await assign('taker', [configMap('owned', { a: '2' })], { adopt: 'any' });
    await ended('taker', 'Failed');
    expect(operation('taker')!.message).toContain('belongs to Application argocd/owner');
    expect((await find(CONFIG_MAP, 'owned'))!.data).toEqual({ a: '1' });
  });

  it('what kubectl applied is not foreign, and a field that leaves Git goes from it too', async () => {
    await appliedClientSide(
      fixture.cluster.kube,
      inDefault(configMap('by-hand', { a: '1', b: '2' })),
      'kubectl-client-side-apply',
    );
    await joined();
    await assign('by-hand', [configMap('by-hand', { a: '1' })]);
    await settled('by-hand');
    expect((await find(CONFIG_MAP, 'by-hand'))!.data).toEqual({ a: '1' });
    expect(condition('by-hand', 'ForeignResource')).toBeUndefined();
  });

  it('an object that a tool marks again is shown as shared, and is neither pruned nor uninstalled', async () => {
    await joined();
    await assign('shared', [configMap('shared'), configMap('shared-rest')]);
    await settled('shared');
    await tracked('shared');
    await eventually(() => resource('shared', 'shared')?.foreign?.shared, { what: 'it to be shared' });
    expect(condition('shared', 'ForeignResource')).toContain('both may write it');
    await assign('shared', [configMap('shared-rest')]);
    await eventually(() => resource('shared', 'shared')?.held, { what: 'it to be held' });
    expect(resource('shared', 'shared')!.held).toContain('Argo CD Application shop tracks it too');
    await fixture.hub.assign({ name: 'shared', action: Action.UNINSTALL });
    await reportedGone('shared');
    await gone(CONFIG_MAP, 'shared-rest');
    const left = (await find(CONFIG_MAP, 'shared'))!;
    expect(Object.keys(left.metadata.annotations!)).toEqual(['argocd.argoproj.io/tracking-id']);
  });

  it('is compared all the same by an agent that only observes', async () => {
    const before = await tracked('observed');
    await joined({ MUSTER_AGENT_VERBS: 'observe-only' });
    await assign('observed', [configMap('observed', { a: '2' })]);
    await eventually(
      (see) => see(resource('observed', 'observed'))?.drift?.fields.some(({ path }) => path === 'data.a'),
      { what: 'the difference to be reported' },
    );
    expect(resource('observed', 'observed')!.foreign).toMatchObject({ tool: 'argocd', adopting: false });
    expect((await find(CONFIG_MAP, 'observed'))!.metadata.resourceVersion).toBe(
      before.metadata.resourceVersion,
    );
  });

  it('the diff says what adopting would change, and a dry run what it would take over', async () => {
    await tracked('asked', { a: '1', b: '2' });
    await joined();
    const policy = { automated: false };
    const objects = [configMap('asked', { a: '2' })];
    await fixture.hub.assign({ name: 'asked', objects, policy });
    await eventually(() => resource('asked', 'asked')?.foreign, { what: 'it to be foreign' });
    const answer = await result(fixture.hub.command('asked', { $case: 'diff', value: {} }));
    const { resources } = JSON.parse(answer.message) as {
      resources: { message: string; fields: object[] }[];
    };
    expect(resources[0]!.message).toContain('muster.dev/adopt: argocd');
    expect(resources[0]!.fields).toEqual(
      expect.arrayContaining([
        { path: 'data.a', expected: '"2"', actual: '"1"' },
        { path: 'data.b', expected: '', actual: '"2"' },
      ]),
    );
    await fixture.hub.assign({ name: 'asked', objects, policy, extra: { adopt: 'argocd' } });
    await eventually(() => resource('asked', 'asked')?.foreign?.adopting, { what: 'it to be adoptable' });
    const dry = await result(fixture.hub.sync('asked', { dryRun: true }));
    expect(dry.message).toContain('1 of them to take over from another tool (ConfigMap default/asked)');
    expect((await result(fixture.hub.sync('asked'))).outcome).toBe(CommandOutcome.SUCCEEDED);
    expect((await find(CONFIG_MAP, 'asked'))!.data).toEqual({ a: '2' });
  });
});

describe.each(tools)('an object of %s', (title, { adopt, by, make }) => {
  const name = title.toLowerCase().replace(/[^a-z]+/g, '-');

  it('is foreign and not touched, nor is anything else of the Application', async () => {
    const before = await make(`${name}-kept`, { a: '1', b: '2' });
    await joined();
    const hook = hookJob(`${name}-hook`, 'PreSync');
    await assign(`${name}-kept`, [configMap(`${name}-kept`, { a: '2' }), configMap(`${name}-new`), hook]);
    await ended(`${name}-kept`, 'Failed');
    expect(operation(`${name}-kept`)!.message).toContain(
      `not touched unless the Application says muster.dev/adopt: ${adopt}`,
    );
    await eventually(() => resource(`${name}-kept`, `${name}-kept`)?.foreign, { what: 'it to be foreign' });
    const told = resource(`${name}-kept`, `${name}-kept`)!;
    expect(told).toMatchObject({ sync: 'OutOfSync', foreign: { tool: adopt, adopting: false } });
    expect(told.foreign!.by).toContain(by);
    expect(condition(`${name}-kept`, 'ForeignResource')).toContain(`muster.dev/adopt: ${adopt}`);
    expect((await find(CONFIG_MAP, `${name}-kept`))!.metadata.resourceVersion).toBe(
      before.metadata.resourceVersion,
    );
    expect(await find(CONFIG_MAP, `${name}-new`)).toBeUndefined();
    expect(await find('batch/v1/Job', `${name}-hook`)).toBeUndefined();
    await fixture.hub.assign({ name: `${name}-kept`, action: Action.UNINSTALL });
    await reportedGone(`${name}-kept`);
    expect((await find(CONFIG_MAP, `${name}-kept`))!.metadata.resourceVersion).toBe(
      before.metadata.resourceVersion,
    );
  });

  it('is adopted: what leaves Git then goes, what others wrote stays, and it can be given back', async () => {
    const before = await make(name, { a: '1', b: '2', c: '3' });
    await fixture.cluster.kube.patch(
      CONFIG_MAP,
      `default/${name}`,
      { data: { edited: 'x' }, metadata: { annotations: { 'example.org/theirs': 'y' } } },
      { fieldManager: 'kubectl-edit' },
    );
    await joined();
    // c has left Git before, b leaves it afterwards.
    await assign(name, [configMap(name, { a: '1', b: '2' })], { adopt });
    await settled(name);
    const adopted = (await find(CONFIG_MAP, name))!;
    expect(adopted.data).toEqual({ a: '1', b: '2', edited: 'x' });
    expect(adopted.metadata.uid).toBe(before.metadata.uid);
    expect(adopted.metadata.annotations).toMatchObject({ 'example.org/theirs': 'y' });
    expect(Object.keys({ ...adopted.metadata.annotations, ...adopted.metadata.labels })).not.toContainEqual(
      expect.stringMatching(/argocd|fluxcd|meta\.helm\.sh|last-applied/),
    );
    expect(resource(name, name)?.foreign).toBeUndefined();
    await assign(name, [configMap(name, { a: '1' })], { adopt });
    await eventually(async () => !(await find(CONFIG_MAP, name))!.data.b, { what: 'b to go' });
    await settled(name);
    expect((await find(CONFIG_MAP, name))!.data).toEqual({ a: '1', edited: 'x' });

    await fixture.hub.assign({ name, action: Action.ORPHAN });
    await reportedGone(name);
    const back = (await find(CONFIG_MAP, name))!;
    const marks = Object.keys({ ...back.metadata.annotations, ...back.metadata.labels });
    expect(marks).not.toContainEqual(expect.stringContaining('muster.dev'));
    expect(marksOf(back)).toEqual(marksOf(before));
    expect(managersOf(back)).toEqual(expect.arrayContaining(['kubectl-edit Update', ...managersOf(before)]));
    expect(managersOf(back)).not.toContainEqual(expect.stringContaining('muster'));
    if (before.metadata.annotations?.[LAST_APPLIED]) {
      expect(JSON.parse(back.metadata.annotations![LAST_APPLIED]!).data).toEqual({ a: '1' });
      await kubectlApply(argocdMark(inDefault(configMap(name, {}))), 'argocd-controller');
      expect((await find(CONFIG_MAP, name))!.data).toEqual({ edited: 'x' });
    }
  });
});
