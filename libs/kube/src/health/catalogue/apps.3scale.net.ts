import { field, type GroupRules, health, listOf, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  APIManager: rule(
    when((o) => {
      const d = field(o, 'status.deployments');
      return d && d.ready && !d.starting && !d.stopped;
    }, 'Healthy: 3scale APIManager is available'),
    (o) => {
      for (const c of listOf(o, 'status.conditions')) {
        if (c.type !== 'Available') continue;
        if (c.status === 'True') return health('Healthy', '3scale APIManager is available');
        if (c.reason) return health('Degraded', `3scale APIManager is degraded: ${c.reason}`);
      }
      return undefined;
    },
    'Progressing: Waiting for 3scale APIManager status...',
  ),
};
