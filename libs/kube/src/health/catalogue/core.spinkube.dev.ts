import { conditionOf, type GroupRules, health, listOf, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  SpinApp: rule(
    when((o) => !o.status, 'Progressing: Waiting for status to be available'),
    (o) => {
      const failed = listOf(o, 'status.conditions').find(
        (c) =>
          c.type === 'Progressing' &&
          c.status === 'False' &&
          (c.reason === 'ProgressDeadlineExceeded' || /timeout|failed/i.test(c.message ?? '')),
      );
      return failed && health('Degraded', failed.message ?? 'Application deployment has failed');
    },
    (o) => {
      const available = conditionOf(o, 'Available');
      if (available?.status === 'True') return undefined;
      return health('Degraded', available ? (available.message ?? 'Application is not available') : '');
    },
    (o) => {
      const [ready, desired] = [o.status.readyReplicas ?? 0, o.spec.replicas ?? 1];
      if (ready < desired)
        return health('Progressing', `Waiting for replicas to be ready (${ready}/${desired})`);
      const moving = listOf(o, 'status.conditions').findLast(
        (c) => c.type === 'Progressing' && c.status === 'True',
      );
      if (moving) return health('Progressing', moving.message ?? 'Application progress status');
      return health('Healthy', `Application is healthy with ${ready}/${desired} replicas ready`);
    },
  ),
};
