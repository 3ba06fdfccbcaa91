import { expect, it } from 'vitest';
import { KubeError, safeMessage } from './errors.ts';
import { explainForbidden } from './forbidden.ts';

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

it('shows of a Secret what the API server itself says of rights and quotas, and nothing of what a webhook says', () => {
  const said = (status: number, reason: string, message: string) =>
    safeMessage('Secret', new KubeError(status, { reason, message }, ''));
  const rights =
    'secrets "s" is forbidden: User "a" cannot patch resource "secrets" in API group "" in the namespace "n"';
  expect(said(403, 'Forbidden', `${rights}: hunter2`)).toBe(rights);
  const ours = explainForbidden(
    'secrets "s" is forbidden: User "system:serviceaccount:n:a" cannot patch resource "secrets" in API group "" in the namespace "n"',
    'n/a',
  );
  expect(ours).toContain('ServiceAccount n/a may not patch secrets in namespace n (s)');
  expect(said(403, 'Forbidden', ours)).toBe(ours);
  const quota =
    'secrets "s" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=2, limited: secrets=2';
  expect(said(403, 'Forbidden', quota)).toBe(quota);
  expect(said(404, 'NotFound', 'namespaces "n" not found')).toBe('namespaces "n" not found');
  for (const status of [400, 403, 404, 500])
    expect(
      said(status, 'Forbidden', 'admission webhook "w.example.org" denied the request: password hunter2'),
    ).toBe('the API server refused the Secret by the admission webhook w.example.org (Forbidden)');
});
