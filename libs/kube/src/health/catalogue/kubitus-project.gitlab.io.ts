import { conditions, type GroupRules, rule } from '../rules.ts';

export const rules: GroupRules = {
  '*': rule(
    conditions({
      'Ready=False': 'Degraded: {.message}',
      'Ready=True': 'Healthy: {.message}',
      Ready: 'Progressing: {.message}',
    }),
    'Progressing: Waiting ...',
  ),
};
