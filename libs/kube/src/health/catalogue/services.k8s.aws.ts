import { conditions, type GroupRules, rule } from '../rules.ts';

export const rules: GroupRules = {
  '*': rule(
    conditions({
      'ACK.Terminal=True': 'Degraded: {.message}',
      'Ready=False': 'Progressing: {.message}',
      'Ready=True': 'Healthy',
    }),
    'Progressing: Waiting for resource to be ready',
  ),
};
