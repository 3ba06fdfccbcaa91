import { expect, test } from 'vitest';
import { mergePatch, overrideFiles } from './source-overrides.ts';

test.each([
  [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  [{ a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
  [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
  [{ a: 'x' }, { a: { b: 1 } }, { a: { b: 1 } }],
  [{ a: 1 }, [1], [1]],
])('%j with %j is %j', (target, patch, merged) => {
  expect(mergePatch(target, patch)).toEqual(merged);
});

test('a patch reaches no prototype', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}')) as { polluted?: boolean };
  expect(merged.polluted).toBeUndefined();
});

test('Applications of other namespaces are called by both', () => {
  const application = (namespace: string) =>
    ({ metadata: { name: 'web', namespace } }) as unknown as Parameters<typeof overrideFiles>[0];
  expect(overrideFiles(application('argocd'))).toEqual(['.argocd-source.yaml', '.argocd-source-web.yaml']);
  expect(overrideFiles(application('team'))[1]).toBe('.argocd-source-team_web.yaml');
});
