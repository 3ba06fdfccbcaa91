import { conditions, type GroupRules, rule } from '../rules.ts';

export const rules: GroupRules = {
  ClusterResourceSet: rule(
    conditions({
      'ResourcesApplied=True': 'Healthy: cluster resource set is applied',
      'ResourcesApplied=False': 'Degraded: {.message}',
    }),
    'Progressing: Initializing cluster resource set',
  ),
};
