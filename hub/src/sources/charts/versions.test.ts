import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nextPin, parsePin, formatPin } from './pin.ts';
import { parseRange, parseVersion, pickVersion, satisfies } from './versions.ts';

const cases = JSON.parse(readFileSync(new URL('./versions.cases.json', import.meta.url), 'utf8')) as {
  versions: string[];
  ranges: [string, string | null][];
};

test.each(cases.ranges)('the range %j takes what Masterminds/semver takes', (text, taken) => {
  const range = parseRange(text);
  const found = cases.versions.flatMap((each, i) => {
    const version = parseVersion(each);
    return range && version && satisfies(version, range) ? [i] : [];
  });
  expect(range ? found.join(' ') : null).toBe(taken);
});

test.each<[string, string | undefined, string]>([
  ['', '1.9.0', 'the highest release'],
  ['*', '1.9.0', 'the highest release'],
  ['>=1-0 <2.1', '2.0.0-rc.1', 'pre-releases where they are asked for'],
  ['1.2', 'v1.2.9', 'any 1.2'],
  ['1.2.0', '1.2.0', 'exactly that'],
  ['v1.2.0', '1.2.0', 'the same without v'],
  ['>=1.0 <1.2', '1.0.1+b', 'of two that are equal the first'],
  ['1.0.1+a', '1.0.1+a', 'the one that is written so'],
  ['2024.03-LTS', '2024.03-LTS', 'what is no version, as written'],
  ['3.x', undefined, 'nothing'],
  ['main', undefined, 'nothing: neither there nor a range'],
])('%j means %s: %s', (wanted, found, _why) => {
  const there = [
    '1.0.0',
    '1.0.1+b',
    '1.0.1+a',
    '1.2.0',
    'v1.2.9',
    '2.0.0-rc.1',
    '1.9.0',
    'latest',
    '2024.03-LTS',
  ];
  expect(pickVersion(wanted, there)).toBe(found);
});

test('a range that is long or has many parts is none', () => {
  expect(parseRange('1 '.repeat(400))).toBeUndefined();
  expect(parseRange('1||'.repeat(40) + '1')).toBeUndefined();
});

const pin = (version: string, digit: string) => ({
  name: 'web',
  version,
  digest: `sha256:${digit.repeat(64)}`,
});

test('a pin is written and read', () => {
  const text = `web:1.0.0@sha256:${'a'.repeat(64)}`;
  expect(parsePin(text)).toEqual(pin('1.0.0', 'a'));
  expect(formatPin(pin('1.0.0', 'a'))).toBe(text);
  expect(parsePin(`web@sha256:${'a'.repeat(64)}`)).toEqual(pin('', 'a'));
  expect(parsePin('a'.repeat(40))).toBeUndefined();
});

test('an overwritten version stays as it was until it is accepted; another version and other tags are followed', () => {
  const before = pin('1.0.0', 'a');
  expect(nextPin(undefined, before, undefined)).toEqual({ pin: before });
  expect(nextPin(before, pin('1.0.1', 'b'), undefined)).toEqual({ pin: pin('1.0.1', 'b') });
  const overwritten = pin('1.0.0', 'b');
  expect(nextPin(before, overwritten, undefined)).toEqual({ pin: before, overwritten });
  expect(nextPin(before, overwritten, pin('', 'c').digest)).toEqual({ pin: before, overwritten });
  expect(nextPin(before, overwritten, overwritten.digest)).toEqual({ pin: overwritten });
  expect(nextPin(pin('latest', 'a'), pin('latest', 'b'), undefined)).toEqual({ pin: pin('latest', 'b') });
});
