import { conditions, type GroupRules, health, listOf, rule } from '../rules.ts';

export const rules: GroupRules = {
  DatadogMetric: rule(
    (o) => {
      const error = listOf(o, 'status.conditions').find((c) => c.type === 'Error' && c.status === 'True');
      if (!error) return undefined;
      const message = error.message ?? 'DatadogMetric reported an error';
      return health('Degraded', error.reason ? `${error.reason}: ${message}` : message);
    },
    conditions({ 'Valid=False': 'Degraded: {.message|DatadogMetric is not valid}' }),
    'Healthy: DatadogMetric is healthy',
  ),
};
