/** Parts that are tested against a real API server in `e2e/agent`. */
export { kubeAccess } from './kube/kubeconfig.ts';
export { KubeClient } from './kube/client.ts';
export { Discovery } from './kube/discovery.ts';
export { KubeError } from './kube/errors.ts';
export { holdLease } from './kube/lease.ts';
export { type ReflectorSink, reflect } from './kube/reflector.ts';
export { FolderStore } from './state/folder-store.ts';
export { SecretStore } from './state/secret-store.ts';
export type { Store } from './state/store.ts';
