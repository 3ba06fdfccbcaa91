import { byValue, type GroupRules, rule } from '../rules.ts';

export const rules: GroupRules = {
  Jaeger: rule(
    byValue('status.phase', {
      Running: 'Healthy: Jaeger is Running',
      Failed: 'Degraded: Jaeger Failed For Some Reason',
    }),
    'Progressing: Waiting for Jaeger',
  ),
};
