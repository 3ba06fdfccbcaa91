import { conditions, type GroupRules, rule } from '../rules.ts';

export const rules: GroupRules = {
  Kiali: rule(
    conditions({
      'Successful=True': 'Healthy: {.message}',
      'Failure=True': 'Degraded: {.message}',
      'Running/Running': 'Progressing: {.message}',
    }),
    'Progressing: Waiting for Kiali',
  ),
};
