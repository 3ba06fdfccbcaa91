import { conditions, field, type GroupRules, listOf, type Rule, rule, when } from '../rules.ts';

const WITHOUT_STATUS = [
  'Composition',
  'CompositionRevision',
  'DeploymentRuntimeConfig',
  'ClusterProviderConfig',
  'ProviderConfig',
  'ProviderConfigUsage',
  'ClusterProviderConfigUsage',
  'EnvironmentConfig',
  'ImageConfig',
  'StoreConfig',
  'ControllerConfig',
];

/** Managed resources of Crossplane and Upbound: the conditions in `goodTypes` make them Healthy, a failed sync Degraded. */
export function managedResource(goodTypes: string[], withoutStatus: string[]): Rule {
  return rule(
    when(
      (o) => listOf(o, 'status.conditions').length === 0,
      when(
        (o) =>
          ['ProviderConfig', 'ClusterProviderConfig'].includes(o.kind) &&
          field(o, 'status.users') !== undefined,
        'Healthy: Resource is in use.',
      ),
      when((o) => withoutStatus.includes(o.kind), 'Healthy: Resource is up-to-date.'),
    ),
    conditions({ 'LastAsyncOperation|Synced=False': 'Degraded: {.message}' }),
    // A definition that is switched off is as it should be.
    when(
      (o) => field(o, 'spec.state') !== 'Active',
      conditions({ 'Established/InactiveManagedResource': 'Healthy: Resource is up-to-date.' }),
    ),
    conditions({ [`${goodTypes.join('|')}=True`]: 'Healthy: Resource is up-to-date.' }),
    'Progressing: Provisioning ...',
  );
}

/** Crossplane 1 and 2: managed resources, packages, compositions. */
export const rules: GroupRules = {
  '*': managedResource(
    ['Ready', 'Healthy', 'Offered', 'Established', 'ValidPipeline', 'RevisionHealthy'],
    WITHOUT_STATUS,
  ),
};
