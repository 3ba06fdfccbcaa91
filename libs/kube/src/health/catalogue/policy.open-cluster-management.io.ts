import {
  byValue,
  conditions,
  field,
  type GroupRules,
  health,
  isStale,
  listOf,
  type Loose,
  rule,
  when,
} from '../rules.ts';

const unreported = 'Progressing: Waiting for the status to be reported';
const statusOf = (o: Loose) => (o.status.compliant === 'Compliant' ? 'Healthy' : 'Degraded');
const names = (bad: string[], what: string) =>
  bad.length === 0 ? `All ${what} are compliant` : `NonCompliant ${what}: ${bad.join(', ')}`;

export const rules: GroupRules = {
  CertificatePolicy: rule(
    byValue('status.compliant', {
      Compliant: 'Healthy: All certificates found comply with the policy',
      '*': 'Degraded: At least once certificate does not comply with the policy',
    }),
    unreported,
  ),
  ConfigurationPolicy: rule(
    when((o) => !field(o, 'status.compliant'), unreported),
    when(
      (o) => o.status.lastEvaluatedGeneration !== o.metadata.generation,
      'Progressing: Waiting for the status to be updated',
    ),
    when(
      (o) => o.status.compliancyDetails,
      (o) => {
        const told = listOf(o, 'status.compliancyDetails')
          .flatMap((detail) => listOf(detail, 'conditions'))
          .filter((c) => c.message !== undefined && c.type !== undefined);
        return health(statusOf(o), told.map((c) => `${c.type} - ${c.message}`).join('; '));
      },
    ),
    'Progressing: Waiting for compliance',
  ),
  OperatorPolicy: rule(
    when((o) => !field(o, 'status.conditions'), unreported),
    when(isStale, 'Progressing: Waiting for the status to be updated'),
    conditions({ 'Compliant=True': 'Healthy: {.message}', Compliant: 'Degraded: {.message}' }),
    'Progressing: Waiting for the compliance condition',
  ),
  Policy: rule(
    when((o) => o.spec.disabled, 'Healthy: Policy is disabled'),
    when(
      (o) => o.status && !o.status.compliant && !o.status.status && o.status.placement?.length > 0,
      'Healthy: No clusters match this policy',
    ),
    when((o) => !field(o, 'status.compliant'), unreported),
    (o) => {
      const bad = (path: string) => listOf(o, path).filter((entry) => entry.compliant !== 'Compliant');
      if (o.status.status)
        return health(
          statusOf(o),
          names(
            bad('status.status').map((e) => e.clustername),
            'clusters',
          ),
        );
      if (o.status.details)
        return health(
          statusOf(o),
          names(
            bad('status.details').map((e) => e.templateMeta.name),
            'templates',
          ),
        );
      return health(statusOf(o));
    },
  ),
};
