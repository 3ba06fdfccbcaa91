import { byValue, conditions, type GroupRules, health, listOf, rule, when } from '../rules.ts';
import { rolloutHealth } from './argo-rollout.ts';

export const rules: GroupRules = {
  AnalysisRun: rule(
    when(
      (o) => o.status,
      byValue('status.phase', {
        Pending: 'Progressing: Analysis run is running',
        Running: 'Progressing: Analysis run is running',
        Successful: 'Healthy: {status.message|Analysis run completed successfully}',
        Failed: 'Degraded: {status.message|Analysis run failed}',
        Error: 'Degraded: {status.message|Analysis run had an error}',
        Inconclusive: 'Unknown: {status.message|Analysis run was inconclusive}',
      }),
      '',
    ),
    'Progressing: Waiting for analysis run to finish: status has not been reconciled.',
  ),
  ApplicationSet: rule(
    conditions({ 'ErrorOccurred=True': 'Degraded: {.message}' }),
    conditions({ 'ResourcesUpToDate=False': 'Degraded: {.message}' }),
    conditions({ 'RolloutProgressing=True': 'Progressing: {.message}' }),
    conditions({ 'ResourcesUpToDate=True': 'Healthy: {.message}' }),
    'Progressing: Waiting for the status to be reported',
  ),
  CronWorkflow: rule(
    conditions({
      'SpecError=True': 'Degraded: {.message}',
      'SubmissionError=True': 'Degraded: {.message}',
      'Completed=True': 'Healthy: {.message}',
    }),
    'Healthy: CronWorkflow is healthy.',
  ),
  EventBus: rule((o) => {
    const deployed = listOf(o, 'status.conditions').find(
      (c) => c.type === 'Deployed' && ['True', 'False'].includes(c.status),
    );
    return (
      deployed &&
      health(deployed.status === 'True' ? 'Healthy' : 'Degraded', deployed.message ?? deployed.reason)
    );
  }, 'Progressing: Waiting for initialization'),
  Experiment: rule(
    when(
      (o) => o.status,
      byValue('status.phase', {
        Pending: 'Progressing: Experiment is pending',
        Running: 'Progressing: Experiment is running',
        Successful: 'Healthy: Experiment is successful',
        Failed: 'Degraded: Experiment has failed',
        Error: 'Degraded: Experiment had an error',
      }),
      '',
    ),
    'Progressing: Waiting for experiment to finish: status has not been reconciled.',
  ),
  Rollout: rolloutHealth,
};
