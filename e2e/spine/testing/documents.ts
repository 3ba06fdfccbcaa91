/** Documents and manifests that the tests of the spine apply and commit. */
import { stringify } from 'yaml';

export type Document = Record<string, unknown>;

export interface ApplicationOptions {
  /** Name of a cluster. */
  on: string;
  path?: string;
  namespace?: string;
  project?: string;
  repoURL?: string;
  source?: Record<string, unknown>;
  syncPolicy?: Record<string, unknown> | null;
  /** Its objects are deleted with it. */
  finalizer?: boolean;
}

export const AUTOMATED = {
  automated: { prune: true, selfHeal: true },
  syncOptions: ['CreateNamespace=true'],
};

export function application(repoURL: string, name: string, options: ApplicationOptions): Document {
  const { on, path = name, namespace = name, project = 'default', source, finalizer = false } = options;
  const { syncPolicy = AUTOMATED } = options;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name,
      ...(finalizer ? { finalizers: ['resources-finalizer.argocd.argoproj.io'] } : {}),
    },
    spec: {
      project,
      source: { repoURL: options.repoURL ?? repoURL, targetRevision: 'main', path, ...source },
      destination: { name: on, namespace },
      ...(syncPolicy ? { syncPolicy } : {}),
    },
  };
}

export interface SetOptions {
  generators: unknown[];
  /** Body of the template: `spec.source` without repoURL and targetRevision. */
  source: Record<string, unknown>;
  /** Of the Applications; in the template language of the set. */
  applicationName: string;
  destination: Record<string, unknown>;
  goTemplate?: boolean;
  finalizer?: boolean;
  project?: string;
  annotations?: Record<string, string>;
}

export function applicationSet(repoURL: string, name: string, options: SetOptions): Document {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name, ...(options.annotations ? { annotations: options.annotations } : {}) },
    spec: {
      ...(options.goTemplate ? { goTemplate: true, goTemplateOptions: ['missingkey=error'] } : {}),
      generators: options.generators,
      template: {
        metadata: {
          name: options.applicationName,
          ...(options.finalizer ? { finalizers: ['resources-finalizer.argocd.argoproj.io'] } : {}),
        },
        spec: {
          project: options.project ?? 'default',
          source: { repoURL, targetRevision: 'main', ...options.source },
          destination: options.destination,
          syncPolicy: AUTOMATED,
        },
      },
    },
  };
}

export function rolloutPolicy(name: string, spec: Record<string, unknown>): Document {
  return { apiVersion: 'muster.dev/v1alpha1', kind: 'RolloutPolicy', metadata: { name }, spec };
}

export function configMap(name: string, data: Record<string, string>, namespace?: string): string {
  const metadata = namespace ? { name, namespace } : { name };
  return stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
}

/** Degraded when it is not ready for `progressDeadlineSeconds`, ten minutes where that is not given. */
export function deployment(
  name: string,
  image: string,
  replicas = 2,
  progressDeadlineSeconds?: number,
): string {
  return stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      ...(progressDeadlineSeconds ? { progressDeadlineSeconds } : {}),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image }] },
      },
    },
  });
}
