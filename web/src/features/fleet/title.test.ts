import { describe, expect, it } from 'vitest';
import { titleOf } from './title.ts';

describe('the name of a tab', () => {
  it.each([
    [{}, 'Fleet · Muster'],
    [{ app: 'argocd/web-prod' }, 'web-prod · Fleet · Muster'],
    [{ view: 'rollouts' as const, policy: 'careful' }, 'careful · Rollouts · Muster'],
    [{ promotion: 'web' }, 'web · Muster'],
    [{ a: 'web#1', b: 'web#2' }, 'web#1 and web#2 · Muster'],
  ])('%j is %s', (search, title) => expect(titleOf(search)).toBe(title));
});
