/** The load of the agent's benches: 500 ConfigMaps and 50 Deployments. */
export function objectsIn(namespace: string): object[] {
  const configMaps = Array.from({ length: 500 }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `settings-${i}`, namespace },
    data: { text: 'x'.repeat(200), number: String(i) },
  }));
  const deployments = Array.from({ length: 50 }, (_, i) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `web-${i}`, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: `web-${i}` } },
      template: {
        metadata: { labels: { app: `web-${i}` } },
        spec: { containers: [{ name: 'main', image: 'nginx:1' }] },
      },
    },
  }));
  return [...configMaps, ...deployments];
}

export const namespaceNamed = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
