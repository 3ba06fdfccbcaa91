import { conditions, field, type GroupRules, health, listOf, type Loose, type Rule, rule } from '../rules.ts';

const lastTrue =
  (type: string, status: string): Rule =>
  (o) => {
    const found = listOf(o, 'status.conditions').findLast((c) => c.type === type && c.status === 'True');
    return found && health(status, found.message);
  };

export const storage: GroupRules = {
  StorageCluster: rule(
    lastTrue('Degraded', 'Degraded'),
    lastTrue('Progressing', 'Progressing'),
    lastTrue('Available', 'Healthy'),
    'Unknown: StorageCluster is in an unknown state.',
  ),
};

export const operator: GroupRules = {
  IngressController: rule(
    conditions({
      'Degraded=True': 'Degraded: {.message}',
      'DeploymentReplicasAllAvailable=False': 'Progressing: {.message}',
      'Progressing=True': 'Progressing: {.reason}',
      'Available=True': 'Healthy: IngressController is available',
    }),
    'Progressing: Status of IngressController is not known yet',
  ),
};

export const route: GroupRules = {
  Route: rule((o) => {
    const routers = field(o, 'status.ingress');
    if (!Array.isArray(routers)) return undefined;
    const admitted = (status: string) =>
      routers
        .flatMap((router: Loose) => router.conditions)
        .filter((c: Loose) => c.type === 'Admitted' && c.status === status).length;
    if (admitted('True') === routers.length) return health('Healthy', 'Route is healthy');
    return admitted('False') > 0 ? health('Degraded', 'Route is degraded') : undefined;
  }, 'Progressing: Route is still getting admitted'),
};
