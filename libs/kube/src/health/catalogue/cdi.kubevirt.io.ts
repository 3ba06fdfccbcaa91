import { byValue, conditions, type GroupRules, rule } from '../rules.ts';

export const rules: GroupRules = {
  DataVolume: rule(
    byValue('status.phase', { Succeeded: 'Healthy: {status.phase}', Paused: 'Suspended: {status.phase}' }),
    conditions({ 'Running=False/Error': 'Degraded: {.message}' }),
    byValue('status.phase', {
      Failed: 'Degraded: {status.phase}',
      Unknown: 'Degraded: {status.phase}',
      '*': 'Progressing: {status.phase}',
    }),
    'Progressing: No status available',
  ),
};
