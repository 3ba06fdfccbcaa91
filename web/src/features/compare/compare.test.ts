import { describe, expect, it } from 'vitest';
import { diffLines, openAtFirst } from './diff-lines.ts';
import { comparedByPromotion, comparedByRollout } from './names.ts';

describe('what is compared', () => {
  const release = (number?: number) =>
    ({ id: '1', label: 'x', ...(number !== undefined && { number }) }) as never;

  it('of a rollout are its two releases, where both are known', () => {
    expect(comparedByRollout({ owner: 'argocd/web', from: release(1), to: release(2) })).toEqual({
      a: 'argocd/web#1',
      b: 'argocd/web#2',
    });
    expect(comparedByRollout({ owner: 'argocd/web', from: null, to: release(2) })).toBeUndefined();
    expect(comparedByRollout({ owner: 'argocd/web', from: release(), to: release(2) })).toBeUndefined();
  });

  it('of a promotion is what the environment holds, and what comes to it', () => {
    const before = { owner: 'argocd/web-staging' };
    expect(comparedByPromotion({ owner: 'argocd/web-prod' }, before)).toEqual({
      a: 'argocd/web-prod',
      b: 'argocd/web-staging',
    });
    const current = { release: 7 } as never;
    expect(comparedByPromotion({ owner: 'argocd/web-prod', current }, before).b).toBe('argocd/web-staging#7');
  });
});

describe('differences', () => {
  it('are lines of four kinds', () => {
    expect(diffLines(' a\n-b\n+c\n@@\n d').map(({ kind }) => kind)).toEqual([
      'same',
      'removed',
      'added',
      'gap',
      'same',
    ]);
    expect(diffLines('')).toEqual([]);
  });

  it('are open from the start as far as they can be taken in, the first one always', () => {
    const object = (added: number) => ({ added, removed: 0 });
    expect(openAtFirst([object(5), object(5), object(5)])).toBe(3);
    expect(openAtFirst([object(9000), object(1)])).toBe(1);
    expect(openAtFirst([object(150), object(40), object(100)])).toBe(2);
    expect(openAtFirst([])).toBe(0);
  });
});
