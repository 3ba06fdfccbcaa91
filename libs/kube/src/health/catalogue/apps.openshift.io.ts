import { field, type GroupRules, health, listOf, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  DeploymentConfig: rule(
    when(
      (o) => field(o, 'status.conditions') && field(o, 'status.replicas') !== undefined,
      (o) => {
        const good = listOf(o, 'status.conditions').filter(
          (c) =>
            c.status === 'True' &&
            (c.type === 'Available' ||
              (c.type === 'Progressing' && c.reason === 'NewReplicationControllerAvailable')),
        ).length;
        if (good === 2 || o.status.replicas === 0)
          return health('Healthy', 'replication controller successfully rolled out');
        return good === 1 ? undefined : health('Degraded', 'Deployment config is degraded');
      },
    ),
    'Progressing: replication controller is waiting for pods to run',
  ),
};
