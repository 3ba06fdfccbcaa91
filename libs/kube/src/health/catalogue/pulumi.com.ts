import { conditions, type GroupRules, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  Stack: rule(
    when(
      (o) => !o.status || o.status.observedGeneration !== o.metadata.generation,
      'Progressing: Waiting for the operator to observe the latest spec change',
    ),
    conditions({
      'Stalled=True': 'Degraded: {.message}',
      'Reconciling=True': 'Progressing: {.message}',
      'Ready=True': 'Healthy: {.message}',
    }),
    'Progressing: Waiting for the stack to be reconciled',
  ),
};
