import { describe, expect, it } from 'vitest';
import { resourcesText } from './app-view.ts';

describe('the resources of an Application', () => {
  it('are a table with the drift below it: fields, from what to what, by whom and when', () => {
    const now = 1e12;
    const text = resourcesText(
      [
        { kind: 'Service', namespace: 'web', name: 'web', sync: 'Synced', health: 'Healthy' },
        {
          group: 'apps',
          kind: 'Deployment',
          namespace: 'web',
          name: 'web',
          sync: 'OutOfSync',
          health: 'Healthy',
          drift: {
            fields: [{ path: 'spec.replicas', expected: '2', actual: '5' }],
            manager: 'kubectl-scale',
            timeMs: now - 60_000,
            healedAtMs: now - 1000,
          },
        },
        { kind: 'ConfigMap', namespace: 'web', name: 'old', sync: 'OutOfSync', requiresPruning: true },
      ],
      { now, colour: false },
    );
    expect(text.split('\n')).toEqual([
      'KIND              NAMESPACE   NAME   SYNC                   HEALTH    MESSAGE',
      'ConfigMap         web         old    OutOfSync (to prune)   -         -',
      'Deployment.apps   web         web    OutOfSync              Healthy   -',
      'Service           web         web    Synced                 Healthy   -',
      '',
      'Drift:',
      '  Deployment.apps web/web (by kubectl-scale, 60s ago, put back 1s ago)',
      '    spec.replicas: 2 → 5',
    ]);
  });
});
