import { byValue, type GroupRules, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  ObjectBucketClaim: rule(
    byValue('status.phase', {
      Bound: 'Healthy: Object bucket claim phase is Bound',
      Failed: 'Degraded: Object bucket claim phase is Failed',
      '*': 'Progressing: Object bucket claim phase is {status.phase}',
    }),
    when((o) => o.status, 'Progressing: Waiting for phase to be reported'),
    'Progressing: Waiting for status to be reported',
  ),
};
