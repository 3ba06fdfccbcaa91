import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globMatches } from './glob.ts';

describe('globMatches', () => {
  it.each([
    ['*', '', true],
    ['*.k8s.io', 'apps.k8s.io', true],
    ['a*c', 'abbc', true],
    ['a*c', 'ab', false],
    ['a?c', 'abc', true],
    ['[ab]x', 'bx', true],
    ['[!ab]x', 'bx', false],
    ['team-{a,b*}', 'team-bcd', true],
    ['team-{a,b}', 'team-c', false],
    ['{a,{b,c}d}', 'cd', true],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['{a', '{a', true],
    ['', '', true],
    ['', 'a', false],
    ['a.c', 'abc', false],
  ])('%s against %s is %s', (pattern, text, expected) => {
    expect(globMatches(pattern, text)).toBe(expected);
  });

  it('stops one star at a separator, not two', () => {
    expect(globMatches('https://git/*', 'https://git/a/b', '/')).toBe(false);
    expect(globMatches('https://git/**', 'https://git/a/b', '/')).toBe(true);
    expect(globMatches('https://git/*/b', 'https://git/a/b', '/')).toBe(true);
  });

  it('takes no exponential time', () => {
    const started = performance.now();
    expect(globMatches(`${'*a'.repeat(200)}b`, 'a'.repeat(1000))).toBe(false);
    expect(globMatches('{a,b}'.repeat(30), 'a'.repeat(30))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('matches any text with itself, escaped', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(globMatches(text.replace(/[\\*?[{},\]]/g, '\\$&'), text)).toBe(true);
        expect(globMatches('*', text)).toBe(true);
      }),
    );
  });
});
