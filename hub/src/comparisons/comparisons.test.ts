import { releaseDiffMarkdown } from '@muster/api/markdown';
import { type KubeObject, MASK } from '@muster/kube';
import { describe, expect, it } from 'vitest';
import { ImageTally, bundleDifference } from './bundle-differences.ts';
import { rangeView, rangesOf } from './commit-ranges.ts';
import { DiffReport } from './diff-report.ts';
import { imageChanges, pairObjects } from './images.ts';
import { formatReleaseName, parseReleaseName } from './release-name.ts';
import { type SideTarget, comparisonsOf } from './sides.ts';

const deployment = (image: string, namespace = 'shop', init = 'busybox:1'): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    template: {
      spec: {
        initContainers: [{ name: 'wait', image: init }],
        containers: [{ name: 'web', image }],
      },
    },
  },
});

describe('names of releases', () => {
  it.each([
    ['web', 'argocd/web'],
    ['web#41', 'argocd/web#41'],
    ['apps/web@prod-eu', 'apps/web@prod-eu'],
    ['apps/web#41@prod-eu', 'apps/web#41@prod-eu'],
  ])('%s is %s', (written, whole) => {
    expect(formatReleaseName(parseReleaseName(written, 'a'))).toBe(whole);
  });

  it.each(['', 'web#', 'web#x', '#41', 'web@', 'a/b/c', 'web@a#41', 'we b'])('%j is none', (written) => {
    expect(() => parseReleaseName(written, 'a')).toThrow(/names no release/);
  });
});

describe('images', () => {
  it('are told by container, those of init containers too, of templates and of jobs', () => {
    const cron: KubeObject = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly' },
      spec: {
        jobTemplate: { spec: { template: { spec: { containers: [{ name: 'job', image: 'job:1' }] } } } },
      },
    };
    const changes = imageChanges(
      [
        [deployment('web:1'), deployment('web:2', 'shop', 'busybox:2')],
        [cron, undefined],
      ],
      new Set(),
    );
    expect(changes).toEqual([
      expect.objectContaining({ container: 'wait', init: true, before: 'busybox:1', after: 'busybox:2' }),
      expect.objectContaining({ container: 'web', init: false, before: 'web:1', after: 'web:2' }),
      { kind: 'CronJob', namespace: '', name: 'nightly', container: 'job', init: false, before: 'job:1' },
    ]);
  });

  it('that hold a secret value are masked', () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      stringData: { tag: 'topsecret' },
    };
    const { images } = bundleDifference(
      [deployment('web:1'), secret],
      [deployment('web:topsecret'), secret],
      false,
    );
    expect(images).toMatchObject([{ before: 'web:1', after: `web:${MASK}` }]);
  });

  it('are counted once with all who share the change', () => {
    const tally = new ImageTally();
    const [change] = imageChanges([[deployment('web:1'), deployment('web:2')]], new Set());
    tally.add([change!], 3);
    tally.add([{ ...change! }], 4);
    expect(tally.all()).toMatchObject([{ targets: 7 }]);
  });
});

describe('objects of two environments', () => {
  it('are paired in whatever namespace, unless two could be meant', () => {
    const [pair] = pairObjects([deployment('web:1', 'staging')], [deployment('web:2', 'prod')], true);
    expect(pair!.map((one) => one?.metadata.namespace)).toEqual(['staging', 'prod']);
    expect(pairObjects([deployment('web:1', 'staging')], [deployment('web:2', 'prod')], false)).toHaveLength(
      2,
    );
    const two = [deployment('web:1', 'a'), deployment('web:1', 'b')];
    expect(pairObjects(two, [deployment('web:2', 'prod')], true)).toHaveLength(3);
  });
});

const target = (
  name: string,
  cluster: string,
  bundle?: string,
  more: Partial<SideTarget> = {},
): SideTarget => ({
  applicationId: name,
  clusterId: cluster,
  namespace: 'argocd',
  name,
  project: 'default',
  cluster,
  release: 1,
  bundle,
  commits: ['a'.repeat(40)],
  ...more,
});

describe('what is compared with what', () => {
  it('the same Application in the same cluster, once for each pair of manifests', () => {
    const { list, loosely } = comparisonsOf(
      {
        owner: 'web',
        targets: [target('web-a', 'a', 'old'), target('web-b', 'b', 'old'), target('web-c', 'c', 'old')],
      },
      {
        owner: 'web',
        targets: [target('web-a', 'a', 'new'), target('web-b', 'b', 'new'), target('web-d', 'd', 'new')],
      },
    );
    expect(loosely).toBe(false);
    expect(list.map(({ before, after, pairs }) => [before, after, pairs.length])).toEqual([
      ['old', 'new', 2],
      ['old', undefined, 1],
      [undefined, 'new', 1],
    ]);
  });

  it('between environments those that are called alike but for their clusters and owners', () => {
    const { list, loosely } = comparisonsOf(
      { owner: 'web-staging', targets: [target('web-staging-s1', 's1', 'x'), target('db-s1', 's1', 'y')] },
      {
        owner: 'web-prod',
        targets: [
          target('web-prod-p1', 'p1', 'X'),
          target('web-prod-p2', 'p2', 'X'),
          target('db-p1', 'p1', 'y'),
        ],
      },
    );
    expect(loosely).toBe(true);
    expect(list.map(({ before, after, pairs }) => [before, after, pairs.length])).toEqual([
      ['x', 'X', 2],
      ['y', 'y', 1],
    ]);
  });

  it('what is called otherwise, where there is nothing else that could be meant', () => {
    const { list } = comparisonsOf(
      { owner: 'staging', targets: [target('one', 's1', 'x')] },
      { owner: 'prod', targets: [target('two', 'p1', 'y')] },
    );
    expect(list).toMatchObject([{ before: 'x', after: 'y' }]);
  });

  it('the manifests that most of a mixed environment have, and says so', () => {
    const { list, notices } = comparisonsOf(
      {
        owner: 's',
        targets: [target('a-s1', 's1', 'odd'), target('a-s2', 's2', 'x'), target('a-s3', 's3', 'x')],
      },
      { owner: 'p', targets: [target('a-p1', 'p1', 'y'), target('a-p2', 'p2', 'odd')] },
    );
    expect(list.map(({ before, after }) => [before, after])).toEqual([
      ['x', 'y'],
      ['odd', 'odd'],
    ]);
    expect(notices[0]).toContain('2 different manifests');
  });
});

describe('commits', () => {
  it('are asked for once for each range of a repository, and not for other repositories', () => {
    const sources = ['web-a', 'web-b'].map((applicationId) => ({
      applicationId,
      position: 0,
      repositoryId: 'r',
      url: 'u',
    }));
    const pair = (name: string) => ({
      before: target(name, 'c', 'x'),
      after: target(name, 'c', 'y', { commits: ['b'.repeat(40)] }),
    });
    const list = [{ before: 'x', after: 'y', pairs: [pair('web-a'), pair('web-b'), pair('unknown')] }];
    expect(rangesOf(list, sources)).toEqual([
      { repositoryId: 'r', url: 'u', from: 'a'.repeat(40), to: 'b'.repeat(40) },
    ]);
  });

  it('say in which direction they go, and are bounded', () => {
    const range = { repositoryId: 'r', url: 'u', from: 'a', to: 'b' };
    const one = { commit: 'c', committedAt: new Date(0), author: 'x', subject: 's' };
    expect(rangeView(range, { ahead: [one], behind: [] }, 10)).toMatchObject({ direction: 'forward' });
    expect(rangeView(range, { ahead: [], behind: [one] }, 10)).toMatchObject({ direction: 'back' });
    expect(rangeView(range, { ahead: [one, one], behind: [one] }, 2)).toMatchObject({
      direction: 'apart',
      more: true,
      commits: [{ on: 'b' }, { on: 'b' }],
    });
  });
});

describe('the answer', () => {
  const answer = (groups: number, stat = false) => {
    const report = new DiffReport({ groups, members: 1, stat });
    for (const name of ['a', 'b'])
      report.differs(
        { before: `${name}1`, after: `${name}2`, pairs: [{ before: undefined, after: target('web', name) }] },
        bundleDifference([deployment('web:1')], [deployment('web:2')], false).objects,
      );
    report.differs(
      { before: undefined, after: 'z', pairs: [{ before: undefined, after: target('new', 'n') }] },
      bundleDifference([], [deployment('web:2')], false).objects,
    );
    return report.result();
  };

  it('shows identical differences once with all whom they concern', () => {
    const { same, summary, groups, moreGroups } = answer(10);
    expect(same).toBe(false);
    expect(summary).toMatchObject({ changed: 2, added: 1, clusters: 3 });
    expect(groups.map(({ targets, clusters, more }) => [targets, clusters, more])).toEqual([
      [2, 2, 1],
      [1, 1, 0],
    ]);
    expect(moreGroups).toBe(0);
  });

  it('counts what it has no room for, and leaves texts out where only numbers are wanted', () => {
    expect(answer(1).moreGroups).toBe(1);
    expect(answer(10, true).groups[0]!.objects).toMatchObject([{ text: '', added: 1, removed: 1 }]);
  });

  it('is markdown of a bounded length, without markup or mentions from manifests', () => {
    const diff = {
      ...answer(10),
      a: { name: 'argocd/web#1', label: '', targets: 1, clusters: 1 },
      b: { name: 'argocd/web#2', label: '', targets: 1, clusters: 1 },
      commits: [
        {
          repository: 'u',
          from: 'a'.repeat(40),
          to: 'b'.repeat(40),
          direction: 'forward' as const,
          commits: [{ commit: 'c'.repeat(40), subject: '<b>@all', author: 'x', at: '', on: 'b' as const }],
          more: false,
        },
      ],
      images: [],
      moreImages: 0,
      notices: [],
    };
    const text = releaseDiffMarkdown(diff, 60_000);
    expect(text).toContain('-        - image: web:1\n');
    expect(text).toContain('&lt;b&gt;');
    expect(text).not.toContain('@all');
    expect(releaseDiffMarkdown(diff, 700).length).toBeLessThanOrEqual(700);
    expect(releaseDiffMarkdown(diff, 700)).toContain('muster release diff');
  });
});
