import type { KubeObject } from '@muster/kube';
import { describe, expect, test } from 'vitest';
import { combine, isRepeated } from './combine.ts';

const object = (name: string, value: string, namespace?: string) =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    data: { value },
  }) as KubeObject;
const part = (i: number, ...objects: KubeObject[]) => ({ where: `spec.sources[${i}]`, objects });
const values = (objects: KubeObject[]) => objects.map((one) => (one as { data?: unknown }).data);

describe('objects of several sources', () => {
  test('are put together; of one that more than one has, the last counts and a warning says so', () => {
    const found = combine([part(0, object('a', '0'), object('b', '0')), part(1, object('a', '1'))], 'shop');
    expect(values(found.objects)).toEqual([{ value: '1' }, { value: '0' }]);
    expect(found.repeated).toEqual([
      'Resource /ConfigMap//a appeared 2 times among application resources (spec.sources[0] and spec.sources[1]); the last one counts',
    ]);
    expect(found.repeated.every(isRepeated)).toBe(true);
    expect(found.usedNamespace).toBe(false);
  });

  test('one without a namespace is the one in the destination’s, and in no other', () => {
    const parts = [part(0, object('a', '0', 'shop')), part(1, object('a', '1'))];
    expect(combine(parts, 'shop')).toMatchObject({
      objects: [{ data: { value: '1' } }],
      usedNamespace: true,
    });
    expect(combine(parts, 'other').objects).toHaveLength(2);
    // Which it is depends on the destination all the same.
    expect(combine(parts, 'other')).toMatchObject({ repeated: [], usedNamespace: true });
    expect(combine(parts, '').objects).toHaveLength(2);
  });

  test('other versions of the same kind are the same object', () => {
    const older = { ...object('a', '0'), apiVersion: 'apps/v1beta1', kind: 'Deployment' } as KubeObject;
    const newer = { ...object('a', '1'), apiVersion: 'apps/v1', kind: 'Deployment' } as KubeObject;
    expect(combine([part(0, older), part(1, newer)], '').objects).toEqual([newer]);
  });

  test('those that get their name when they are made are all different', () => {
    const hook = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { generateName: 'job-' },
    } as unknown as KubeObject;
    expect(combine([part(0, hook), part(1, hook)], 'shop').objects).toHaveLength(2);
  });
});
