import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffObjects, type FieldChange } from './diff.ts';
import type { PathStep } from './field-path.ts';
import type { KubeObject } from './object.ts';
import { MASK } from './redact.ts';

const object = (fields: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a' },
  ...fields,
});

/** Carries the changes out on a copy: the meaning of each. */
function apply(from: KubeObject, changes: FieldChange[]): unknown {
  const copy = structuredClone(from) as unknown;
  const indexRemovals: FieldChange[] = [];
  for (const change of changes) {
    if (change.kind === 'removed' && typeof change.steps.at(-1) === 'number') indexRemovals.push(change);
    else applyOne(copy, change);
  }
  for (const change of indexRemovals.reverse()) applyOne(copy, change);
  return copy;
}

// biome-ignore lint: a walk over arbitrary JSON
function find(value: any, step: PathStep): any {
  if (typeof step !== 'object') return value[step];
  return value.find((element: object) => isElement(element, step));
}

function isElement(element: object, step: { keys: Record<string, unknown> }): boolean {
  const fields = { protocol: 'TCP', ...element } as Record<string, unknown>;
  return Object.entries(step.keys).every(([key, value]) => fields[key] === value);
}

function applyOne(root: unknown, change: FieldChange): void {
  const last = change.steps.at(-1)!;
  // biome-ignore lint: a walk over arbitrary JSON
  const parent = change.steps.slice(0, -1).reduce<any>(find, root);
  if (change.kind === 'order') {
    const list = find(parent, last);
    const ids = change.to as string[];
    const idOf = (element: object, id: string) =>
      id
        .split(',')
        .every(
          (pair) =>
            String({ protocol: 'TCP', ...element }[pair.split('=')[0] as 'protocol']) ===
            pair.slice(pair.indexOf('=') + 1),
        );
    const moved = ids.map((id) => list.find((element: object) => idOf(element, id)));
    const slots = list.flatMap((element: object, i: number) => (moved.includes(element) ? [i] : []));
    slots.forEach((slot: number, i: number) => {
      list[slot] = moved[i];
    });
  } else if (typeof last === 'object') {
    const position = parent.findIndex((element: object) => isElement(element, last));
    if (change.kind === 'added') parent.push(change.to);
    else if (change.kind === 'removed') parent.splice(position, 1);
    else parent[position] = change.to;
  } else if (change.kind === 'removed') {
    if (typeof last === 'number') parent.splice(last, 1);
    else delete parent[last];
  } else parent[last] = change.to;
}

const keySorted = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const items = value.map(keySorted);
    return items.every((item) => item !== null && typeof item === 'object' && 'name' in item)
      ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items;
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, keySorted(v)]));
};

const fields = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(1, 2, 'x', 'y', true, null),
    tie('list'),
    tie('keyed'),
    tie('map'),
  ),
  list: fc.array(tie('value'), { maxLength: 3 }),
  keyed: fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c'), v: tie('value') }), {
    selector: (e) => (e as { name: string }).name,
    maxLength: 3,
  }),
  map: fc.dictionary(fc.constantFrom('p', 'q', 'r/s'), tie('value'), { maxKeys: 3 }),
}));
const anyObject = fields.map.map((spec) => object({ spec }));

describe('diffObjects', () => {
  it('finds nothing between equal objects', () => {
    fc.assert(
      fc.property(anyObject, (a) => {
        expect(diffObjects(a, structuredClone(a))).toEqual([]);
      }),
    );
  });

  it('says everything that makes one object of the other', () => {
    fc.assert(
      fc.property(anyObject, anyObject, (a, b) => {
        expect(keySorted(apply(a, diffObjects(a, b)))).toEqual(keySorted(b));
      }),
      { numRuns: 500 },
    );
  });

  it('mirrors: what is added one way is removed the other way', () => {
    const mirror = { added: 'removed', removed: 'added', changed: 'changed', order: 'order' } as const;
    fc.assert(
      fc.property(anyObject, anyObject, (a, b) => {
        const there = diffObjects(a, b).map(({ kind, path }) => `${mirror[kind]} ${path}`);
        expect(there.sort()).toEqual(
          diffObjects(b, a)
            .map(({ kind, path }) => `${kind} ${path}`)
            .sort(),
        );
      }),
    );
  });

  it('follows keyed lists by their keys', () => {
    const pod = (containers: object[]) => object({ spec: { containers } });
    const changes = diffObjects(
      pod([{ name: 'side' }, { name: 'web', image: 'a:1', ports: [{ containerPort: 80 }] }]),
      pod([
        {
          name: 'web',
          image: 'a:2',
          ports: [{ containerPort: 80, protocol: 'TCP' }, { containerPort: 443 }],
        },
      ]),
    );
    expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'removed spec.containers[name=side]',
      'changed spec.containers[name=web].image',
      'added spec.containers[name=web].ports[containerPort=80,protocol=TCP].protocol',
      'added spec.containers[name=web].ports[containerPort=443,protocol=TCP]',
    ]);
  });

  it('tells a changed order of a keyed list', () => {
    const [change] = diffObjects(
      object({ env: [{ name: 'a' }, { name: 'b' }] }),
      object({ env: [{ name: 'b' }, { name: 'a' }] }),
    );
    expect(change).toMatchObject({
      kind: 'order',
      path: 'env',
      from: ['name=a', 'name=b'],
      to: ['name=b', 'name=a'],
    });
  });

  it('shows that a secret changed, never to what', () => {
    const secret = (data: object, applied: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied } },
      data,
    });
    const applied = (value: string) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Secret', data: { k: value } });
    const changes = diffObjects(
      secret({ k: 'aHVudGVyMQ==' }, applied('hunter1')),
      secret({ k: 'aHVudGVyMg==', n: 'bmV3' }, applied('hunter2')),
    );
    expect(JSON.stringify(changes)).not.toMatch(/hunter|aHVud|bmV3/);
    expect(changes).toContainEqual(
      expect.objectContaining({ kind: 'changed', path: 'data.k', from: MASK, to: MASK, masked: true }),
    );
    expect(
      JSON.stringify(diffObjects(undefined, secret({ k: 'aHVudGVyMQ==' }, applied('hunter1')))),
    ).not.toMatch(/hunter|aHVud/);
  });
});
