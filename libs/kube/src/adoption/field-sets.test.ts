import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extract, type FieldSet, splitBy, unionOf, withoutField } from './field-sets.ts';

const container = (below: FieldSet) => ({ 'f:containers': { 'k:{"name":"web"}': below } });

/** Sets of a few names, so that they meet. */
const sets: fc.Arbitrary<FieldSet> = fc.letrec<{ set: FieldSet }>((tie) => ({
  set: fc.dictionary(fc.constantFrom('f:a', 'f:b', 'f:c'), fc.oneof(fc.constant({}), tie('set')), {
    maxKeys: 3,
  }),
})).set;

describe('sets of fields', () => {
  it('a union holds what either holds, in whatever order', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        expect(unionOf(a, b)).toEqual(unionOf(b, a));
        expect(unionOf(a, a)).toEqual(a);
        expect(unionOf(unionOf(a, b), b)).toEqual(unionOf(a, b));
      }),
    );
  });

  it('a field that is in one and has fields below it in the other stays one of its own', () => {
    expect(unionOf({ 'f:a': {} }, { 'f:a': { 'f:b': {} } })).toEqual({ 'f:a': { '.': {}, 'f:b': {} } });
  });

  it('taking a field out leaves no empty set that would be a field of its own', () => {
    const fields = { 'f:metadata': { 'f:annotations': { 'f:x': {} } }, 'f:spec': {} };
    expect(withoutField(fields, ['metadata', 'annotations', 'x'])).toEqual({ 'f:spec': {} });
    expect(withoutField(fields, ['metadata', 'labels', 'x'])).toBe(fields);
  });

  it('splits by what a document has: members, elements by their keys, values of sets', () => {
    const document = {
      containers: [{ name: 'web', image: 'a', ports: [{ containerPort: 80 }] }],
      finalizers: ['x'],
    };
    const { inside, outside } = splitBy(
      {
        ...container({
          '.': {},
          'f:name': {},
          'f:image': {},
          'f:tty': {},
          'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
        }),
        'f:finalizers': { 'v:"x"': {}, 'v:"y"': {} },
        'f:replicas': {},
      },
      document,
    );
    expect(inside).toEqual({
      ...container({
        '.': {},
        'f:name': {},
        'f:image': {},
        'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
      }),
      'f:finalizers': { 'v:"x"': {} },
    });
    expect(outside).toEqual({
      ...container({ 'f:tty': {} }),
      'f:finalizers': { 'v:"y"': {} },
      'f:replicas': {},
    });
  });

  it('extracts what a set holds: elements with their keys, whole values below a leaf', () => {
    const object = {
      replicas: 3,
      containers: [
        { name: 'web', image: 'a', command: ['x', 'y'], tty: true },
        { name: 'injected', image: 'b' },
      ],
    };
    expect(extract(object, container({ '.': {}, 'f:name': {}, 'f:image': {}, 'f:command': {} }))).toEqual({
      containers: [{ name: 'web', image: 'a', command: ['x', 'y'] }],
    });
  });
});
