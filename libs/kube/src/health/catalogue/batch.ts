import { field, type GroupRules, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  CronJob: rule(
    when((o) => o.spec.suspend === true, 'Healthy: CronJob is Suspended'),
    when(
      (o) => field(o, 'status.lastScheduleTime'),
      when(
        (o) => !o.status.lastSuccessfulTime,
        'Healthy: The CronJob never completed successfully. It may not be healthy',
      ),
      when(
        (o) => o.status.active?.length > 0,
        'Healthy: The job is running. Its last execution may not have been successful',
      ),
      when(
        (o) => o.status.lastSuccessfulTime < o.status.lastScheduleTime,
        'Degraded: CronJob has not completed its last execution successfully',
      ),
      'Healthy: CronJob has completed its last execution successfully',
    ),
    when((o) => o.status, 'Healthy: CronJob has not been scheduled yet'),
    'Progressing: Waiting for CronJob',
  ),
};
