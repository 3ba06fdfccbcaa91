import type { RolloutDetail, RolloutGateView, RolloutStageDetail, RolloutTargetView } from '@muster/api';

const AT = '2026-01-01T00:00:00.000Z';

export function stage(name: string, change: Partial<RolloutStageDetail> = {}): RolloutStageDetail {
  return {
    name,
    step: 'waiting',
    since: AT,
    size: 2,
    done: 0,
    states: { waiting: 2 },
    slots: 1,
    tolerated: 0,
    soakSeconds: 600,
    onFailure: 'rollback-all',
    gates: [],
    ...change,
  };
}

export function approval(change: Partial<RolloutGateView> = {}): RolloutGateView {
  return {
    name: 'sign-off',
    kind: 'approval',
    at: 'entry',
    status: 'open',
    since: AT,
    asks: '2 approvals of owners',
    count: 2,
    groups: ['owners'],
    yours: true,
    approvals: [],
    bad: 0,
    ...change,
  };
}

/** A canary that is done, and a rest that rolls. */
export function rollout(change: Partial<RolloutDetail> = {}): RolloutDetail {
  return {
    id: '019a0000-0000-7000-8000-000000000001',
    owner: 'argocd/web',
    ownerKind: 'set',
    project: 'shop',
    policy: 'careful',
    kind: 'release',
    phase: 'running',
    paused: false,
    from: { id: 'r1', label: 'release 1 (commit 1a2b3c4)', number: 1 },
    to: { id: 'r2', label: 'release 2 (commit 5d6e7f8)', number: 2 },
    stage: 'rest',
    stages: ['canary', 'rest'],
    headHeld: false,
    createdAt: AT,
    headline: '',
    done: 1,
    total: 3,
    since: AT,
    now: AT,
    progress: [
      stage('canary', { step: 'passed', size: 1, done: 1, states: { done: 1 } }),
      stage('rest', { step: 'rolling', states: { assigned: 1, waiting: 1 } }),
    ],
    waitingFor: [],
    next: { what: '' },
    lines: [],
    targets: [],
    ...change,
  };
}

export function target(state: string, change: Partial<RolloutTargetView> = {}): RolloutTargetView {
  return {
    id: 'argocd/web-a@a',
    application: 'argocd/web-a',
    cluster: 'a',
    stage: 'rest',
    state,
    since: AT,
    connected: true,
    ...change,
  };
}
