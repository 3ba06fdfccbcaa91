import { byValue, type GroupRules, listOf, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  ManagedCertificate: rule(
    when(
      (o) => listOf(o, 'status.domainStatus').some((d) => d.status === 'FailedNotVisible'),
      'Degraded: At least one certificate has failed to be provisioned',
    ),
    byValue('status.certificateStatus', { Active: 'Healthy: All certificates are active' }),
    'Progressing: At least one certificate is still being provisioned',
  ),
};
