import { type GroupRules, health, rule } from '../rules.ts';

export const rules: GroupRules = {
  Shoot: rule((o) => {
    const label = o.metadata.labels?.['shoot.gardener.cloud/status'];
    if (label === 'healthy') return health('Healthy', 'Component state: Healthy');
    if (label === 'unhealthy') return health('Degraded', 'Component state: Unhealthy');
    if (label === 'unknown') return health('Unknown', 'Component state: Unknown');
    return label === 'progressing' ? health('Progressing', 'Component state: Update in progress') : undefined;
  }, 'Progressing: Update in progress'),
};
