import { describe, expect, it } from 'vitest';
import { matchesSelector, parseSelector } from './label-selector.ts';

const labels = { env: 'prod', region: 'eu', 'app.kubernetes.io/name': 'x', empty: '' };

describe('a label selector', () => {
  it.each([
    ['env=prod', true],
    ['env==prod,region=us', false],
    ['env!=prod', false],
    ['other!=prod', true],
    ['env in (dev, prod),region notin (us)', true],
    ['env notin (dev,prod)', false],
    ['env,!old', true],
    ['!env', false],
    ['app.kubernetes.io/name=x', true],
    ['empty=', true],
    ['toString', false],
  ])('%s is %s', (text, expected) => {
    expect(matchesSelector(parseSelector(text), labels)).toBe(expected);
  });

  it.each(['env=prod,', 'a b', 'env in prod', '=x', 'env in (a'])('refuses %s in words', (text) => {
    expect(() => parseSelector(text)).toThrow('not a label selector');
  });
});
