import { conditions, field, type GroupRules, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  SpotDeployment: rule(
    when((o) => !field(o, 'status.conditions'), ''),
    conditions({
      InvalidSpec: 'Degraded: {.message}',
      'Progressing/RolloutAborted': 'Degraded: {.message}',
      'Progressing/ProgressDeadlineExceeded': 'Degraded: {.message}',
      'Paused=True': 'Suspended: Rollout is paused',
    }),
    when((o) => o.status.phase === 'Progressing', 'Progressing: Waiting for rollout to finish steps'),
    'Healthy',
  ),
};
