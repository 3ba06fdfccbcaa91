import { KubeError } from '../kube/errors.ts';
import type { Application } from './application.ts';
import type { Cluster } from './cluster.ts';
import type { DesiredState } from './desired.ts';
import { requireNamespace } from './power.ts';

/** Whether the destination namespace exists. One that may not be read counts as there: an apply will tell. */
export async function namespaceIsThere(
  cluster: Cluster,
  app: Application,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await cluster.client.find(pathOf(app), { signal })) !== undefined;
  } catch (thrown) {
    if (thrown instanceof KubeError && thrown.status === 403) return true;
    throw thrown;
  }
}

/** Whether the policy asks for a destination namespace that is neither there nor in the bundle. */
export async function mustMakeNamespace(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  signal: AbortSignal,
): Promise<boolean> {
  const namespace = app.assignment.destinationNamespace;
  if (!app.assignment.syncPolicy?.createNamespace || !namespace) return false;
  if (desired.objects.has(`/Namespace//${namespace}`)) return false;
  return !(await namespaceIsThere(cluster, app, signal));
}

/** CreateNamespace=true: makes the destination namespace, with the labels and annotations that the policy gives it. */
export async function ensureNamespace(
  cluster: Cluster,
  app: Application,
  signal: AbortSignal,
): Promise<void> {
  const { syncPolicy, destinationNamespace: name, impersonate } = app.assignment;
  requireNamespace(cluster.power, name);
  const object = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: syncPolicy?.managedNamespaceLabels ?? {},
      annotations: syncPolicy?.managedNamespaceAnnotations ?? {},
    },
  };
  await cluster.client.apply(pathOf(app), object, { signal, impersonate: impersonate || undefined });
}

function pathOf(app: Application): string {
  return `/api/v1/namespaces/${encodeURIComponent(app.assignment.destinationNamespace)}`;
}
