import { type GroupRules, health, listOf, rule } from '../rules.ts';

export const rules: GroupRules = {
  Function: rule((o) => {
    for (const c of listOf(o, 'status.conditions')) {
      if ((c.type === 'Ready' && c.status === 'False') || (c.type === 'Stalled' && c.status === 'True')) {
        return health('Degraded', c.message);
      }
      if (c.type === 'Ready' && c.status === 'True') {
        return o.status.replicas > 0
          ? health('Healthy', c.message)
          : health('Suspended', 'No replicas available');
      }
    }
    return undefined;
  }, 'Progressing: Waiting for Function'),
};
