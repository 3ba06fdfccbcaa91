import { byValue, field, type GroupRules, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  TridentBackendConfig: rule(
    when(
      (o) => field(o, 'status.phase') === 'Bound' && o.status.lastOperationStatus === 'Success',
      'Healthy: {status.message}',
    ),
    byValue('status.lastOperationStatus', { Failed: 'Degraded: {status.message}' }),
    'Progressing: Waiting for backend creation',
  ),
  TridentOrchestrator: rule(
    byValue('status.status', {
      Installed: 'Healthy: {status.message}',
      Failed: 'Degraded: {status.message}',
      Error: 'Degraded: {status.message}',
    }),
    'Progressing: Waiting for trident installation',
  ),
};
