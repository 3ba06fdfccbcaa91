import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldOf, parseFieldPath, withField } from './yaml-fields.ts';

const text = `# the values
image:
  tag: v1   # moved by promotions
  pullPolicy: "Always"
list: [a, 'b c', {name: web, image: x}]
containers:
- name: web
  image: web:1
- name: side
  image: side:1
annotations: { "a.b/c": old }
---
second: yes
`;

describe('fields of YAML', () => {
  it.each([
    ['image.tag', 'v1'],
    ['list[1]', 'b c'],
    ['list[name=web].image', 'x'],
    ['containers[name=side].image', 'side:1'],
    ['annotations["a.b/c"]', 'old'],
    ['second', 'yes'],
    ['image.none', undefined],
    ['containers[name=none].image', undefined],
  ])('%s is read', (path, value) => {
    expect(fieldOf(text, path, 'f')).toEqual(value);
  });

  it.each([
    ['image.tag', 'v2', '  tag: v2   # moved by promotions'],
    ['image.pullPolicy', 'Never', '  pullPolicy: "Never"'],
    ['list[1]', "it's", "list: [a, 'it''s', {name: web, image: x}]"],
    ['list[0]', 'x,y', `list: ["x,y", 'b c', {name: web, image: x}]`],
    ['containers[name=side].image', 'side:2', '  image: side:2'],
    ['annotations["a.b/c"]', 'new', 'annotations: { "a.b/c": new }'],
    ['image.tag', '1.10', '  tag: "1.10"   # moved by promotions'],
    ['image.tag', 3, '  tag: 3   # moved by promotions'],
  ])('%s becomes %j and nothing else of the text changes', (path, value, line) => {
    const after = withField(text, path, value, 'f');
    const changed = after.split('\n').filter((one, i) => one !== text.split('\n')[i]);
    expect(changed).toEqual([line]);
    expect(fieldOf(after, path, 'f')).toEqual(value);
  });

  it('sets what was not there, and whole maps, and keeps the comments', () => {
    const added = withField(text, 'image.digest', 'sha', 'f');
    expect(fieldOf(added, 'image.digest', 'f')).toBe('sha');
    expect(added).toContain('# moved by promotions');
    expect(fieldOf(withField(text, 'image', { tag: 'x' }, 'f'), 'image', 'f')).toEqual({ tag: 'x' });
  });

  it('reads back every text that it writes, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('image.tag', 'image.pullPolicy', 'list[0]', 'list[1]', 'annotations["a.b/c"]'),
        (value, path) => {
          expect(fieldOf(withField(text, path, value, 'f'), path, 'f')).toBe(value);
        },
      ),
    );
  });

  it('says what is no path and what is no YAML', () => {
    for (const path of ['', 'a[', 'a[x]', '[]']) expect(() => parseFieldPath(path)).toThrow(/field/);
    expect(() => fieldOf('a: [', 'a', 'values.yaml')).toThrow(/values.yaml is no YAML/);
    expect(() => withField(text, 'containers[name=none].image', 'x', 'f')).toThrow(/no entry/);
  });
});
