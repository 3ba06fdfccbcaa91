import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applicationLabel,
  ownerOf,
  parseTrackingId,
  trackingId,
  withoutTracking,
  withTracking,
} from './tracking.ts';

const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'prod' } };
const application = { namespace: 'argocd', name: 'shop' };

describe('tracking', () => {
  it('writes label and annotation, and takes them off again', () => {
    const tracked = withTracking(object, application);
    expect(tracked.metadata.labels).toEqual({ 'muster.dev/application': 'argocd.shop' });
    expect(tracked.metadata.annotations).toEqual({
      'muster.dev/tracking-id': 'argocd/shop:apps/Deployment:prod/web',
    });
    expect(withoutTracking(tracked)).toEqual(object);
    expect(ownerOf(tracked)).toEqual(application);
  });

  it('does not believe an annotation that was copied from another object', () => {
    const tracked = withTracking(object, application);
    expect(ownerOf({ ...tracked, metadata: { ...tracked.metadata, name: 'copy' } })).toBeUndefined();
  });

  it('makes a valid label of any name, different for different Applications', () => {
    const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,100}[a-z0-9])?$/);
    fc.assert(
      fc.property(name, name, name, (namespace, a, b) => {
        const label = applicationLabel({ namespace, name: a });
        expect(label).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
        if (a !== b) expect(applicationLabel({ namespace, name: b })).not.toBe(label);
      }),
    );
  });

  it('reads back the ids that it writes, names with colons too', () => {
    const key = {
      group: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      namespace: '',
      name: 'system:x:y',
    };
    expect(parseTrackingId(trackingId(application, key))).toEqual({ application, key });
  });
});
