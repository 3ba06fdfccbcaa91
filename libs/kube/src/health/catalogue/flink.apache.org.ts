import { byValue, field, type GroupRules, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  FlinkDeployment: rule(
    when(
      (o) => field(o, 'status.reconciliationStatus'),
      when(
        (o) => o.status.reconciliationStatus.success || o.status.reconciliationStatus.state === 'DEPLOYED',
        'Healthy',
      ),
      byValue('status.jobManagerDeploymentStatus', {
        DEPLOYED_NOT_READY: 'Progressing: Waiting for deploying',
        DEPLOYING: 'Progressing: Waiting for deploying',
        ERROR: 'Degraded: {status.reconciliationStatus.error}',
      }),
    ),
    when(
      (o) =>
        field(o, 'spec.job.state') === 'suspended' &&
        field(o, 'status.reconciliationStatus.lastReconciledSpec') === undefined,
      'Healthy: Job is suspended',
    ),
    'Progressing: Waiting for Flink operator',
  ),
  FlinkSessionJob: rule(
    byValue('status.jobStatus.state', {
      RUNNING: 'Healthy: {status.jobStatus.state}',
      FINISHED: 'Healthy: {status.jobStatus.state}',
      RECONCILING: 'Progressing: {status.jobStatus.state}',
      CREATED: 'Progressing: {status.jobStatus.state}',
      SUSPENDED: 'Suspended: {status.jobStatus.state}',
      CANCELED: 'Suspended: {status.jobStatus.state}',
      FAILED: 'Degraded: {status.error|FlinkSessionJob failed}',
    }),
    when((o) => field(o, 'status.error') !== undefined, 'Degraded: {status.error}'),
    'Progressing: Waiting for FlinkSessionJob to be reconciled',
  ),
};
