import { describe, expect, it } from 'vitest';
import { driftRows, readResources } from './drift.ts';

const deployment = {
  key: 'apps/Deployment/shop/web',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'web',
  sync: 'OutOfSync',
  health: 'Healthy',
  drift: {
    fields: [{ path: 'spec.replicas', expected: '3', actual: '7' }],
    manager: 'kubectl-scale',
    timeMs: Date.UTC(2026, 0, 2),
  },
};

describe('drift', () => {
  it('is one line a field: what is expected, what is there, who wrote it and when', () => {
    expect(driftRows(readResources([deployment]))).toEqual([
      {
        resource: 'Deployment shop/web',
        field: 'spec.replicas',
        expected: '3',
        actual: '7',
        by: 'kubectl-scale',
        at: '2026-01-02T00:00:00.000Z',
      },
    ]);
  });

  it('says when a field or a whole resource is not there', () => {
    const gone = { ...deployment, drift: { fields: [], deleted: true } };
    const added = { ...deployment, drift: { fields: [{ path: 'spec.x', expected: '', actual: '1' }] } };
    expect(driftRows(readResources([gone]))[0]).toMatchObject({ expected: 'present', actual: 'deleted' });
    expect(driftRows(readResources([added]))[0]).toMatchObject({ expected: '(absent)', actual: '1' });
  });
});

describe('resources', () => {
  it('come with what needs a look first', () => {
    const fine = { ...deployment, key: 'a', sync: 'Synced', drift: undefined };
    const sick = { ...fine, key: 'b', health: 'Degraded' };
    expect(readResources([fine, sick, deployment]).map(({ key }) => key)).toEqual([deployment.key, 'b', 'a']);
  });

  it('of an unexpected shape do not break the page', () => {
    expect(readResources([{ drift: 'x' }])).toMatchObject([{ kind: '', sync: 'Unknown' }]);
  });
});
