import { expect, it } from 'vitest';
import { KubeError, safeMessage } from './errors.ts';

const invalid = new KubeError(
  422,
  {
    reason: 'Invalid',
    message: 'Secret "s" is invalid: data[x]: Invalid value: "hunter2"',
    details: { causes: [{ field: 'data[x]' }] },
  },
  '',
);

it('shows of a refused Secret the fields, never the values', () => {
  expect(safeMessage('Secret', invalid)).toBe('the API server refused the Secret (Invalid): data[x]');
  expect(safeMessage('ConfigMap', invalid)).toContain('hunter2');
});

it('knows what may pass by itself', () => {
  expect(new KubeError(503, undefined, 'x').transient).toBe(true);
  expect(new KubeError(0, undefined, 'x').transient).toBe(true);
  expect(new KubeError(422, undefined, 'x').transient).toBe(false);
  const typed = {
    message: 'failed to create typed patch object (default/d): .spec.replicas: expected numeric',
  };
  expect(new KubeError(500, typed, 'x').transient).toBe(false);
  expect(new KubeError(500, { message: 'etcdserver: request timed out' }, 'x').transient).toBe(true);
});
