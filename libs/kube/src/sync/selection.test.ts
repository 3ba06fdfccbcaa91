import { describe, expect, it } from 'vitest';
import { isSelected, parseResourceSelector, selectorOf, unmatchedSelectors } from './selection.ts';

const selectors = (...texts: string[]) => texts.map((text) => parseResourceSelector(text)!);
const key = (group: string, kind: string, namespace: string, name: string) => ({
  group,
  kind,
  namespace,
  name,
});
const web = key('apps', 'Deployment', 'shop', 'web');
const settings = key('', 'ConfigMap', 'shop', 'settings');

describe('a sync of some resources', () => {
  it('touches what one selector names and none excludes', () => {
    expect(isSelected(selectors('apps:Deployment:web'), web)).toBe(true);
    expect(isSelected(selectors('apps:Deployment:web'), settings)).toBe(false);
    expect(isSelected(selectors(':ConfigMap:shop/settings'), settings)).toBe(true);
    expect(isSelected(selectors(':ConfigMap:other/settings'), settings)).toBe(false);
    expect(isSelected(selectors('*:*:*', '!apps:Deployment:*'), web)).toBe(false);
    expect(isSelected(selectors('!apps:Deployment:*'), settings)).toBe(true);
    expect(isSelected([], web)).toBe(true);
  });

  it('names a role with colons', () => {
    const role = key('rbac.authorization.k8s.io', 'ClusterRole', '', 'system:view');
    expect(isSelected(selectors(selectorOf(role)), role)).toBe(true);
    expect(selectorOf(web)).toBe('apps:Deployment:shop/web');
  });

  it('says which selectors name nothing', () => {
    expect(unmatchedSelectors(selectors('apps:Deployment:wep', ':ConfigMap:set*'), [web, settings])).toEqual([
      'apps:Deployment:wep',
    ]);
  });

  it.each(['Deployment/web', 'apps:Deployment', ':ConfigMap:', 'apps::web', ':ConfigMap:a/b/c'])(
    'is not asked for as %s',
    (text) => expect(parseResourceSelector(text)).toBeUndefined(),
  );
});
