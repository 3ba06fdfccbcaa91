import { conditions, field, type GroupRules, health, listOf, type Loose, type Rule } from '../rules.ts';

const WITHOUT_STATUS = [
  'Composition',
  'CompositionRevision',
  'DeploymentRuntimeConfig',
  'ClusterProviderConfig',
  'ProviderConfig',
  'ProviderConfigUsage',
  'ControllerConfig',
];

/** Managed resources of Crossplane and Upbound: the conditions in `goodTypes` make them Healthy, a failed sync Degraded. */
export function managedResource(goodTypes: string[], withoutStatus: string[]): Rule {
  const isEmpty = (o: Loose) =>
    typeof o.status === 'object' && o.status !== null && Object.keys(o.status).length === 0;
  return (o) => {
    const missing = o.status === undefined || o.status === null;
    if (missing || (isEmpty(o) && withoutStatus.includes(o.kind)))
      return health('Healthy', 'Resource is up-to-date.');
    if (field(o, 'status.conditions') === undefined) {
      const isConfig = o.kind === 'ProviderConfig' || o.kind === 'ClusterProviderConfig';
      return isConfig && field(o, 'status.users') !== undefined
        ? health('Healthy', 'Resource is in use.')
        : health('Progressing', 'Provisioning ...');
    }
    const failed = conditions({ 'LastAsyncOperation|Synced=False': 'Degraded: {.message}' })(o);
    if (failed) return failed;
    const good = listOf(o, 'status.conditions').some(
      (c) => goodTypes.includes(c.type) && c.status === 'True',
    );
    return good ? health('Healthy', 'Resource is up-to-date.') : health('Progressing', 'Provisioning ...');
  };
}

/** Crossplane 1 and 2: managed resources, packages, compositions. */
export const rules: GroupRules = {
  '*': managedResource(
    ['Ready', 'Healthy', 'Offered', 'Established', 'ValidPipeline', 'RevisionHealthy'],
    WITHOUT_STATUS,
  ),
};
