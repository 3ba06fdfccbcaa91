import { type GroupRules, health, listOf, need, rule } from '../rules.ts';

const STATUS: Record<string, string> = {
  Available: 'Healthy',
  Degraded: 'Degraded',
  Progressing: 'Progressing',
  Ignored: 'Suspended',
};

export const rules: GroupRules = {
  NodeNetworkConfigurationPolicy: rule((o) => {
    const found = listOf(o, 'status.conditions').find((c) => c.status === 'True' && STATUS[c.type]);
    return (
      found &&
      health(
        STATUS[found.type],
        found.message ? `${need(found.reason, 'reason')}: ${found.message}` : found.reason,
      )
    );
  }, 'Progressing: Waiting for policy to be applied'),
};
