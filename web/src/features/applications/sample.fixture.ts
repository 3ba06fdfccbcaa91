import type { ApplicationView } from '@muster/api';

/** An Application that is fine, but for what a test says. */
export function application(change: Partial<ApplicationView> & { cluster?: string } = {}): ApplicationView {
  const { cluster = 'prod', ...rest } = change;
  return {
    namespace: 'argocd',
    name: `web-${cluster}`,
    project: 'default',
    set: 'argocd/web',
    labels: {},
    destination: { cluster, server: `muster://${cluster}`, namespace: 'shop' },
    source: { repoURL: 'https://git.example.com/shop', path: 'apps/web', targetRevision: 'main' },
    automated: true,
    sync: 'Synced',
    health: 'Healthy',
    healthMessage: '',
    clusterState: { connected: true },
    conditions: [],
    ...rest,
  };
}
