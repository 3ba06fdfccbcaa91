import type { ClusterView } from '@muster/api';

/** A connected cluster, but for what a test says. */
export function cluster(name: string, change: Partial<ClusterView> = {}): ClusterView {
  return {
    name,
    id: '019a0000-0000-7000-8000-000000000000',
    server: `muster://${name}`,
    labels: {},
    annotations: {},
    local: false,
    state: 'active',
    connection: 'connected',
    namespaces: [],
    apiVersions: 40,
    keySetVersion: '1',
    createdAt: '2026-01-01T00:00:00Z',
    ...change,
  };
}
