import { describe, expect, it } from 'vitest';
import { compileGlob } from './doublestar.ts';
import { compilePathMatch } from './path-match.ts';
import { compilePathspec } from './pathspec.ts';

const files = [
  'a',
  'b/a',
  'b/c/d',
  'ab.yaml',
  'x/[a]/y',
  '.h/z',
  'A/B.yaml',
  'b/c.yaml',
  'c d/e f',
  'é/q.yaml',
];
const matched = (compile: (pattern: string) => (path: string) => boolean, pattern: string) =>
  files.filter(compile(pattern));

describe('a pathspec', () => {
  it.each([
    ['*.yaml', ['ab.yaml', 'A/B.yaml', 'b/c.yaml', 'é/q.yaml']],
    ['b', ['b/a', 'b/c/d', 'b/c.yaml']],
    ['b/', ['b/a', 'b/c/d', 'b/c.yaml']],
    ['a/', []],
    ['x/[a]', ['x/[a]/y']],
    ['**/a', ['b/a']],
    ['./b/../b/c', ['b/c/d']],
    ['?/q.yaml', []],
    ['??/q.yaml', ['é/q.yaml']],
    [':(glob)*.yaml', ['ab.yaml']],
    [':(glob)**/*.yaml', ['ab.yaml', 'A/B.yaml', 'b/c.yaml', 'é/q.yaml']],
    [':(icase)a/b.YAML', ['A/B.yaml']],
    [':(literal)*.yaml', []],
    [':!b', ['a', 'ab.yaml', 'x/[a]/y', '.h/z', 'A/B.yaml', 'c d/e f', 'é/q.yaml']],
    ['[', []],
    ['', files],
    ['.', files],
  ])('%s is what git ls-files takes it for', (pattern, expected) => {
    expect(matched(compilePathspec, pattern)).toEqual(expected);
  });

  it.each(['../a', '/a', 'a/../../b', ':(nope)a', ':(glob', ':(attr:x)a'])('%s is refused', (pattern) => {
    expect(() => compilePathspec(pattern)).toThrow(TypeError);
  });
});

describe('a directory pattern', () => {
  it.each([
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['**', 'a/b', false],
    ['*/*', 'a/b', true],
    ['[^a]', 'b', true],
    ['[!a]', 'b', false],
    ['\\*', '*', true],
    ['é?', 'éé', true],
    ['[a', 'a', false],
    ['a\\', 'a\\', false],
  ])('%s on %s is %s', (pattern, path, expected) => {
    expect(compilePathMatch(pattern)(path)).toBe(expected);
  });
});

describe('a glob', () => {
  it.each([
    ['*.yaml', ['ab.yaml']],
    ['**/*.yaml', ['ab.yaml', 'A/B.yaml', 'b/c.yaml', 'é/q.yaml']],
    ['b/**', ['b/a', 'b/c/d', 'b/c.yaml']],
    ['{a,b/{a,c}/d}', ['a', 'b/c/d']],
    ['[!b]/?.yaml', ['A/B.yaml', 'é/q.yaml']],
    ['a**', ['a', 'ab.yaml']],
  ])('%s stays inside names but for **', (pattern, expected) => {
    expect(matched(compileGlob, pattern)).toEqual(expected);
  });

  it.each(['{a', '[a', 'a\\'])('%s is refused', (pattern) => {
    expect(() => compileGlob(pattern)).toThrow('syntax error in pattern');
  });
});
