/** Annotations of the reference that Muster obeys, and its own. */
export const ANNOTATION = {
  hook: 'argocd.argoproj.io/hook',
  hookDeletePolicy: 'argocd.argoproj.io/hook-delete-policy',
  syncWave: 'argocd.argoproj.io/sync-wave',
  syncOptions: 'argocd.argoproj.io/sync-options',
  /** A YAML map of `jsonPointers`, `jqPathExpressions` and `managedFieldsManagers`, or the first and last as lists with commas. */
  ignoreDifferences: 'argocd.argoproj.io/ignore-differences',
  ignoreJsonPointers: 'argocd.argoproj.io/ignore-differences-json-pointers',
  ignoreFieldManagers: 'argocd.argoproj.io/ignore-differences-managed-fields-managers',
  compareOptions: 'argocd.argoproj.io/compare-options',
  ignoreRestartPolicy: 'argocd.argoproj.io/ignore-restart-policy',
  ignoreHealthcheck: 'argocd.argoproj.io/ignore-healthcheck',
  helmHook: 'helm.sh/hook',
  helmHookWeight: 'helm.sh/hook-weight',
  helmHookDeletePolicy: 'helm.sh/hook-delete-policy',
  helmResourcePolicy: 'helm.sh/resource-policy',
  /** On an Application: a time; what waited for a confirmation then may go. */
  deletionApproved: 'argocd.argoproj.io/deletion-approved',
  /** On hooks: the operation that made them. */
  operation: 'muster.dev/operation',
  /** On an Application: `argocd`, `flux`, `helm` or `any`: objects that this tool tracks are taken over. */
  adopt: 'muster.dev/adopt',
  /** On an object that was taken over: from whom, and what it takes to give it back. */
  adoptedFrom: 'muster.dev/adopted-from',
  /** On Applications: the ServiceAccount to act as, of those that the project lists. */
  serviceAccount: 'muster.dev/service-account',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
} as const;

/** Keeps a hook from vanishing before its phase has ended. */
export const HOOK_FINALIZER = 'argocd.argoproj.io/hook-finalizer';
