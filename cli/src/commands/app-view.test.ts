import type { ApplicationDetail } from '@muster/api';
import { describe, expect, it } from 'vitest';
import { applicationText, notesOf, resourcesText } from './app-view.ts';

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
        {
          kind: 'ConfigMap',
          namespace: 'web',
          name: 'theirs',
          sync: 'OutOfSync',
          message: 'tracked by Argo CD Application web',
          foreign: { tool: 'argocd', by: 'Argo CD Application web' },
        },
      ],
      { now, colour: false },
    );
    expect(text.split('\n')).toEqual([
      'KIND              NAMESPACE   NAME     SYNC                   HEALTH    MESSAGE',
      'ConfigMap         web         old      OutOfSync (to prune)   -         -',
      'ConfigMap         web         theirs   OutOfSync (foreign)    -         tracked by Argo CD Application web',
      'Deployment.apps   web         web      OutOfSync              Healthy   -',
      'Service           web         web      Synced                 Healthy   -',
      '',
      'Drift (in Git → in the cluster):',
      '  Deployment.apps web/web (by kubectl-scale, 60s ago, put back 1s ago)',
      '    spec.replicas: 2 → 5',
    ]);
  });
});

describe('resources of a silent cluster', () => {
  it('are Unknown, with what was observed last', () => {
    const lastObserved = { sync: 'Synced', health: 'Healthy', at: '2026-01-01T00:00:00Z' };
    const row = { kind: 'Service', name: 'web', sync: 'Unknown', health: 'Unknown', lastObserved };
    const text = resourcesText([row], { now: Date.parse(lastObserved.at) + 120_000, colour: false });
    expect(text.split('\n')).toEqual([
      'The cluster is silent. In brackets: as last observed at 2026-01-01T00:00:00Z (2m ago).',
      'KIND      NAMESPACE   NAME   SYNC               HEALTH              MESSAGE',
      'Service   -           web    Unknown (Synced)   Unknown (Healthy)   -',
    ]);
  });
});

describe('an Application of several sources', () => {
  it('has a line for each, with what is assigned of it and what is newer', () => {
    const chart = { repoURL: 'https://git.test/charts', path: 'web', targetRevision: 'v1' };
    const app: ApplicationDetail = {
      namespace: 'argocd',
      name: 'web',
      project: 'default',
      labels: {},
      destination: { cluster: 'dev', namespace: 'web' },
      source: chart,
      sources: [
        { ...chart, name: 'chart', commit: 'a'.repeat(40) },
        {
          repoURL: 'https://git.test/values',
          targetRevision: 'main',
          ref: 'values',
          commit: 'b'.repeat(40),
          latestCommit: 'c'.repeat(40),
        },
      ],
      revision: { commit: 'a'.repeat(40), message: 'More replicas', author: 'Ada' },
      release: { id: 'r', number: 7 },
      automated: true,
      sync: 'Synced',
      health: 'Healthy',
      healthMessage: '',
      conditions: [],
      manifest: {},
    };
    const lines = applicationText(app, [], { now: 0, colour: false })
      .split('\n')
      .map((line) => line.replaceAll(/ +/g, ' '));
    expect(lines).toContain(`Source 1: chart: https://git.test/charts web @ v1 (${'a'.repeat(40)})`);
    expect(lines).toContain(
      `Source 2: $values: https://git.test/values @ main (${'b'.repeat(40)}, ccccccc not assigned yet)`,
    );
    expect(lines).toContain('Release: #7 More replicas Ada');
    const unchanged = { ...app, sources: app.sources!.map((one) => ({ ...one, unchanged: true })) };
    expect(applicationText(unchanged, [], { now: 0, colour: false })).toContain(
      'ccccccc changes nothing here',
    );
    const held = { id: 'r', state: 'held', since: '', holds: {} };
    expect(applicationText({ ...app, rollout: held }, [], { now: 0, colour: false })).toContain('held back)');
  });
});

describe('an Application that a rollout holds back', () => {
  it('says at a glance that it does, and what it holds meanwhile', () => {
    const app: ApplicationDetail = {
      namespace: 'argocd',
      name: 'web',
      project: 'default',
      labels: {},
      destination: { cluster: 'dev', namespace: 'web' },
      source: { repoURL: 'https://git.test/web', path: 'web', targetRevision: 'main' },
      automated: true,
      sync: 'OutOfSync',
      health: 'Healthy',
      healthMessage: '',
      conditions: [],
      manifest: {},
      release: { id: 'r3', number: 3 },
      rollout: {
        id: 'r',
        phase: 'rolled-back',
        state: 'held',
        reason: 'release 3 was taken back',
        since: '2026-01-01T00:00:00Z',
        holds: { release: 2, commit: 'a'.repeat(40) },
      },
    };
    expect(notesOf(app)).toBe('held back');
    expect(applicationText(app, [], { now: 0, colour: false })).toContain(
      'Held at:    #2 aaaaaaa  (held back, its rollout is rolled-back: release 3 was taken back)',
    );
  });
});
