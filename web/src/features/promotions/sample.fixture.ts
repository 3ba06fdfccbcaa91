import type { PromotionChangeView, PromotionEnvironmentView } from '@muster/api';

const AT = '2026-01-01T00:00:00.000Z';

export function change(more: Partial<PromotionChangeView> = {}): PromotionChangeView {
  return {
    id: '1',
    environment: 'prod',
    state: 'waiting',
    since: AT,
    why: '1 approval',
    release: 3,
    commit: 'a'.repeat(40),
    approvals: [],
    createdAt: AT,
    ...more,
  };
}

export function environment(more: Partial<PromotionEnvironmentView> = {}): PromotionEnvironmentView {
  return {
    name: 'prod',
    owner: 'argocd/web-prod',
    ownerKind: 'Application',
    branch: 'main',
    path: 'envs/prod',
    production: true,
    change: 'copy',
    mode: 'commit',
    passed: true,
    standing: 'release 2 (commit 1a2b3c4 on main) is healthy everywhere',
    ...more,
  };
}

/** Approvals that are missing. */
export const asks = (more: Partial<NonNullable<PromotionChangeView['asks']>> = {}) => ({
  count: 1,
  groups: [],
  yours: true,
  until: '2026-01-04T00:00:00.000Z',
  ...more,
});
