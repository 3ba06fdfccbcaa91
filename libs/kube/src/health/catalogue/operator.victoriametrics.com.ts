import { type GroupRules, health, isStale, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  '*': rule(
    when((o) => !o.status || isStale(o), 'Progressing: Waiting for the operator to reconcile'),
    (o) => {
      const told = (otherwise: string) => o.status.reason || otherwise;
      switch (o.status.updateStatus) {
        case 'operational':
          return health('Healthy', 'All components are operational');
        case 'ignored':
          return health('Healthy', 'Resource was not picked by any parent object');
        case 'expanding':
          return health('Progressing', told('Reconciliation in progress'));
        case 'paused':
          return health('Suspended', told('Reconciliation is paused'));
        case 'failed':
          return health('Degraded', told('Reconciliation failed'));
        default:
          return health('Progressing', 'Waiting for the operator to report status');
      }
    },
  ),
};
