import { field, type GroupRules, health, listOf, need, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  Keycloak: rule(
    when(
      (o) => !field(o, 'status.conditions'),
      'Progressing: Waiting for Keycloak status conditions to exist',
    ),
    (o) => {
      const byTime = [...listOf(o, 'status.conditions')].sort((a, b) => {
        if (a.lastTransitionTime === undefined) return b.lastTransitionTime === undefined ? 0 : 1;
        if (b.lastTransitionTime === undefined) return -1;
        return a.lastTransitionTime < b.lastTransitionTime
          ? -1
          : a.lastTransitionTime > b.lastTransitionTime
            ? 1
            : 0;
      });
      for (const c of byTime) {
        if (c.status !== 'True') continue;
        if (c.type === 'Ready') return health('Healthy');
        if (c.type === 'HasErrors') return health('Degraded', `Has Errors: ${need(c.message, 'message')}`);
      }
      return health('Progressing');
    },
  ),
};
