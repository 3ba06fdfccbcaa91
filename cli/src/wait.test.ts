import type { ApplicationView } from '@muster/api';
import { describe, expect, it } from 'vitest';
import { missingOf } from './wait.ts';

const app: ApplicationView = {
  namespace: 'argocd',
  name: 'web',
  project: 'default',
  labels: {},
  destination: { cluster: 'dev', namespace: 'web' },
  source: { repoURL: 'https://x', targetRevision: 'main' },
  revision: { commit: 'abcdef1234567890' },
  automated: true,
  sync: 'Synced',
  health: 'Healthy',
  healthMessage: '',
  conditions: [],
};
const both = { sync: true, health: true };

describe('waiting for an Application', () => {
  it('ends when it is Synced and Healthy', () => {
    expect(missingOf({ app }, both)).toBeUndefined();
    expect(missingOf({ app: { ...app, sync: 'OutOfSync' } }, both)).toBe('OutOfSync');
    expect(missingOf({ app: { ...app, health: 'Progressing' } }, both)).toBe('Progressing');
    expect(missingOf({ app: { ...app, health: 'Degraded' } }, { sync: true })).toBeUndefined();
  });

  it('counts neither a silent cluster nor a running operation as done', () => {
    const silent = { connected: false, silentSince: '2026-01-01T00:00:00Z' };
    expect(missingOf({ app: { ...app, clusterState: silent } }, both)).toContain('silent');
    expect(
      missingOf({ app: { ...app, operation: { phase: 'Running', message: '', retries: 0 } } }, both),
    ).toBe('syncing');
  });

  it('says how far a running operation is', () => {
    const migrate = {
      group: 'batch',
      kind: 'Job',
      namespace: 'shop',
      name: 'migrate',
      health: 'Progressing',
    };
    const operation = { phase: 'Running', message: 'waiting …', retries: 0, step: 'PreSync', wave: -1 };
    const waiting = { ...operation, waitsFor: [migrate], waitsForTotal: 3 };
    expect(missingOf({ app: { ...app, sync: 'OutOfSync', operation: waiting } }, both)).toBe(
      'OutOfSync, PreSync, wave -1: Job.batch shop/migrate (Progressing) and 2 more',
    );
  });

  it('wants the commit that was named, as the hub sees it', () => {
    const revision = { reached: false, how: 'unseen' as const, message: 'at abcdef1; not seen' };
    expect(missingOf({ app, revision }, { ...both, revision: '1234567' })).toBe('at abcdef1; not seen');
    const reached = { reached: true, how: 'contained' as const, message: 'at abcdef1' };
    expect(missingOf({ app, revision: reached }, { ...both, revision: '1234567' })).toBeUndefined();
    expect(missingOf({ app: { ...app, sync: 'OutOfSync' }, revision: reached }, both)).toBe('OutOfSync');
  });

  it('knows gone from not yet there', () => {
    expect(missingOf({ app: undefined }, both)).toBe('does not exist');
    expect(missingOf({ app: undefined }, { gone: true })).toBeUndefined();
    expect(missingOf({ app }, { gone: true })).toBe('still there');
  });
});
