import { describe, expect, it } from 'vitest';
import {
  applyLabelChanges,
  collectPair,
  countFrom,
  labelChanges,
  oneOf,
  parseDuration,
  parseName,
} from './names.ts';

describe('names and values on the command line', () => {
  it('takes NAME in the default namespace, and NAMESPACE/NAME', () => {
    expect(parseName('web')).toEqual({ namespace: 'argocd', name: 'web' });
    expect(parseName('team/web')).toEqual({ namespace: 'team', name: 'web' });
  });

  it.each(['', '/web', 'team/', 'a/b/c'])('refuses %j as a name', (text) => {
    expect(() => parseName(text)).toThrow('NAMESPACE/NAME');
  });

  it('keeps what comes after the first = of a pair', () => {
    expect(collectPair('a=b=c', { x: '' })).toEqual({ x: '', a: 'b=c' });
    expect(() => collectPair('=b')).toThrow('KEY=VALUE');
  });

  it('takes whole numbers, and says what it takes instead of others', () => {
    expect(countFrom(0)('0')).toBe(0);
    expect(countFrom(1)('200')).toBe(200);
    for (const text of ['', '0', '-1', '1.5', 'many', '1e3'])
      expect(() => countFrom(1)(text)).toThrow(`${text} is not a whole number from 1`);
  });

  it('takes one of the words there are, and lists them', () => {
    expect(oneOf('Synced', 'Unknown')('Synced')).toBe('Synced');
    expect(() => oneOf('Synced', 'Unknown')('synced')).toThrow('synced is not known');
  });

  it('sets and removes labels as kubectl does', () => {
    expect(applyLabelChanges({ env: 'dev', tier: 'web' }, ['env=prod', 'tier-', 'gone-'])).toEqual({
      env: 'prod',
    });
    expect(() => applyLabelChanges({}, ['env'])).toThrow('KEY-');
  });

  it.each([
    ['90', 90],
    ['90s', 90],
    ['1h30m', 5400],
    ['7d', 604_800],
  ])('reads %s as %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['', '5x', 'm5', '1h 30m', '-5s'])('refuses %j as a duration', (text) => {
    expect(() => parseDuration(text)).toThrow('not a duration');
  });
});

it('changes of labels are what to set and what to remove', () => {
  expect(labelChanges(['env=prod', 'tier-', 'ring=1'])).toEqual({
    set: { env: 'prod', ring: '1' },
    remove: ['tier'],
  });
  expect(() => labelChanges(['env'])).toThrow('neither KEY=VALUE nor KEY-');
});
