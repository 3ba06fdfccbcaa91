import type { Json, JsonObject } from '@muster/base';

/** Kubernetes object metadata, as far as users write it; other fields survive. */
export interface ObjectMeta {
  name?: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  [field: string]: unknown;
}

/** `argoproj.io/v1alpha1` ApplicationSet as users write it. */
export interface ApplicationSet {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta & { name: string };
  spec: ApplicationSetSpec;
  status?: unknown;
}

export interface ApplicationSetSpec {
  generators?: Generator[];
  template: ApplicationTemplate;
  goTemplate?: boolean;
  goTemplateOptions?: string[];
  templatePatch?: string;
  syncPolicy?: {
    preserveResourcesOnDeletion?: boolean;
    applicationsSync?: 'create-only' | 'create-update' | 'create-delete' | 'sync';
  };
  preservedFields?: { annotations?: string[]; labels?: string[] };
  ignoreApplicationDifferences?: { name?: string; jsonPointers?: string[]; jqPathExpressions?: string[] }[];
  strategy?: JsonObject;
  applyNestedSelectors?: boolean;
  [field: string]: unknown;
}

/** The template before rendering: any string in it, and any key of its maps, may hold placeholders. */
export interface ApplicationTemplate {
  metadata?: ObjectMeta;
  spec?: JsonObject;
}

/** A Kubernetes label selector. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** One entry of `spec.generators`; normally it names one kind, and when it names several all of them run. */
export interface Generator {
  list?: ListGenerator;
  clusters?: ClustersGenerator;
  git?: GitGenerator;
  scmProvider?: ExternalGenerator;
  clusterDecisionResource?: ExternalGenerator;
  pullRequest?: ExternalGenerator;
  matrix?: MatrixGenerator;
  merge?: MergeGenerator;
  plugin?: ExternalGenerator;
  selector?: LabelSelector;
}

export interface ListGenerator {
  elements?: Json[];
  elementsYaml?: string;
  template?: ApplicationTemplate;
}

export interface ClustersGenerator {
  selector?: LabelSelector;
  values?: Record<string, string>;
  flatList?: boolean;
  template?: ApplicationTemplate;
}

export interface GitGenerator {
  repoURL: string;
  revision?: string;
  directories?: { path: string; exclude?: boolean }[];
  files?: { path: string; exclude?: boolean }[];
  requeueAfterSeconds?: number;
  pathParamPrefix?: string;
  values?: Record<string, string>;
  template?: ApplicationTemplate;
}

export interface MatrixGenerator {
  generators?: Generator[];
  template?: ApplicationTemplate;
}

export interface MergeGenerator {
  generators?: Generator[];
  mergeKeys?: string[];
  template?: ApplicationTemplate;
}

/** A generator whose parameters are asked of someone else (an SCM host, a plugin, a resource). */
export interface ExternalGenerator {
  values?: Record<string, string>;
  template?: ApplicationTemplate;
  requeueAfterSeconds?: number;
  [field: string]: unknown;
}

export interface ApplicationDestination {
  server?: string;
  name?: string;
  namespace?: string;
}

export interface ApplicationSource {
  repoURL: string;
  path?: string;
  targetRevision?: string;
  chart?: string;
  ref?: string;
  name?: string;
  helm?: {
    releaseName?: string;
    valueFiles?: string[];
    values?: string;
    valuesObject?: JsonObject;
    parameters?: { name?: string; value?: string; forceString?: boolean }[];
    fileParameters?: { name?: string; path?: string }[];
    ignoreMissingValueFiles?: boolean;
    skipCrds?: boolean;
    skipTests?: boolean;
    namespace?: string;
    kubeVersion?: string;
    apiVersions?: string[];
    [field: string]: unknown;
  };
  kustomize?: JsonObject;
  directory?: {
    recurse?: boolean;
    include?: string;
    exclude?: string;
    jsonnet?: JsonObject;
    [field: string]: unknown;
  };
  plugin?: JsonObject;
  [field: string]: unknown;
}

export interface SyncPolicy {
  automated?: { prune?: boolean; selfHeal?: boolean; allowEmpty?: boolean; enabled?: boolean };
  syncOptions?: string[];
  retry?: JsonObject;
  managedNamespaceMetadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
}

export interface ApplicationSpec {
  project: string;
  source?: ApplicationSource;
  sources?: ApplicationSource[];
  destination: ApplicationDestination;
  syncPolicy?: SyncPolicy;
  ignoreDifferences?: {
    group?: string;
    kind: string;
    name?: string;
    namespace?: string;
    jsonPointers?: string[];
    jqPathExpressions?: string[];
    managedFieldsManagers?: string[];
  }[];
  info?: { name: string; value: string }[];
  revisionHistoryLimit?: number;
  [field: string]: unknown;
}

/** `argoproj.io/v1alpha1` Application, as users write it and as expansion returns it. */
export interface Application {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta & { name: string; namespace?: string };
  spec: ApplicationSpec;
  operation?: JsonObject;
  status?: unknown;
}

/** `argoproj.io/v1alpha1` AppProject as users write it. */
export interface AppProject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta & { name: string };
  spec: {
    description?: string;
    sourceRepos?: string[];
    sourceNamespaces?: string[];
    destinations?: { server?: string; name?: string; namespace?: string }[];
    clusterResourceWhitelist?: { group: string; kind: string; name?: string }[];
    clusterResourceBlacklist?: { group: string; kind: string; name?: string }[];
    namespaceResourceWhitelist?: { group: string; kind: string }[];
    namespaceResourceBlacklist?: { group: string; kind: string }[];
    [field: string]: unknown;
  };
}
