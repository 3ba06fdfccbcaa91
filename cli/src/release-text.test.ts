import type { ReleaseDiff } from '@muster/api';
import { expect, it } from 'vitest';
import { releaseDiffText } from './release-text.ts';

const diff: ReleaseDiff = {
  a: { name: 'argocd/web#41', label: 'release 41 (commit aaaaaaa on main)', targets: 2, clusters: 2 },
  b: { name: 'argocd/web#42', label: 'release 42 (commit bbbbbbb on main)', targets: 2, clusters: 2 },
  same: false,
  summary: {
    changed: 2,
    added: 0,
    removed: 0,
    unchanged: 1,
    clusters: 2,
    objects: { added: 2, changed: 2, removed: 0 },
  },
  commits: [
    {
      repository: 'https://git.example.com/fleet.git',
      from: 'a'.repeat(40),
      to: 'b'.repeat(40),
      direction: 'forward',
      commits: [
        {
          commit: 'b'.repeat(40),
          subject: 'a new image\u001b[2J',
          author: 'Ada',
          at: '2027-01-15T08:00:00Z',
          on: 'b',
        },
      ],
      more: true,
    },
  ],
  images: [
    {
      kind: 'Deployment',
      namespace: 'shop',
      name: 'web',
      container: 'web',
      init: false,
      before: 'web:1',
      after: 'web:2',
      targets: 2,
    },
  ],
  moreImages: 0,
  groups: [
    {
      change: 'changed',
      alike: 'but for names',
      targets: 2,
      clusters: 2,
      members: [{ namespace: 'argocd', name: 'web-eu', project: 'default', cluster: 'eu' }],
      more: 1,
      added: 1,
      removed: 1,
      objects: [
        {
          action: 'changed',
          specification: false,
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          namespace: 'shop',
          name: 'web',
          added: 1,
          removed: 1,
          text: '-  image: web:1\n+  image: web:2',
          moreLines: 0,
        },
      ],
      omitted: false,
    },
  ],
  moreGroups: 0,
  notices: [],
};

it('says commits, images and manifests, each once, and steers no terminal', () => {
  expect(
    releaseDiffText(diff, { colour: false, stat: false, full: false }),
  ).toBe(`A  argocd/web#41: release 41 (commit aaaaaaa on main)
B  argocd/web#42: release 42 (commit bbbbbbb on main)

Commits aaaaaaa → bbbbbbb of https://git.example.com/fleet.git
  + bbbbbbb a new image [2J (Ada)
  … and more

Images
  Deployment shop/web, web: web:1 → web:2  in 2 targets

~ 2 targets on 2 clusters: +1 −1 lines
    argocd/web-eu (eu) and 1 more
    the same but for their names; shown as for web-eu
  ~ Deployment shop/web
    -  image: web:1
    +  image: web:2

Of the targets 2 changed, on 2 clusters.`);
});

it('with --stat leaves the lines out and their numbers in', () => {
  const text = releaseDiffText(diff, { colour: false, stat: true, full: false });
  expect(text).toContain('  ~ Deployment shop/web (+1 −1)');
  expect(text).not.toContain('+  image');
});
