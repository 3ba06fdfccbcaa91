import { conditions, type GroupRules, health, isStale, listOf, need, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  AWSManagedControlPlane: rule(
    when((o) => !o.status, 'Progressing: Provisioning...'),
    when(isStale, 'Progressing: Waiting for the control plane spec to be reconciled'),
    when((o) => o.status.failureMessage, 'Degraded: {status.failureMessage}'),
    when((o) => !o.status.conditions, 'Progressing: Provisioning...'),
    conditions({ 'EKSControlPlaneUpdating=True': 'Progressing: EKS control plane is updating' }),
    conditions({ 'Ready=True': 'Healthy: Control plane is ready' }),
    (o) => {
      const errors = listOf(o, 'status.conditions').filter(
        (c) => c.status === 'False' && c.severity === 'Error',
      );
      return errors.length > 0
        ? health('Degraded', errors.map((c) => `${need(c.message, 'message')} `).join(''))
        : undefined;
    },
    when((o) => o.status.ready === false, 'Progressing: Control plane is not ready (.status.ready is false)'),
    'Progressing: Control plane is not ready',
  ),
};
