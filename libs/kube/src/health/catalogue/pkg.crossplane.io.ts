import { conditionOf, field, type GroupRules, health, listOf, need, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  Provider: rule(
    when(
      (o) => field(o, 'status.conditions'),
      (o) => {
        const [installed, healthy] = [
          need(conditionOf(o, 'Installed'), 'Installed'),
          need(conditionOf(o, 'Healthy'), 'Healthy'),
        ];
        const good = installed.status === 'True' && healthy.status === 'True';
        return health(
          good ? 'Healthy' : 'Degraded',
          `${need(installed.reason, 'reason')} ${need(healthy.reason, 'reason')}`,
        );
      },
    ),
    'Progressing: Waiting for provider to be installed',
  ),
};

export const stacks: GroupRules = {
  ClusterStackInstall: rule((o) => {
    const list = listOf(o, 'status.conditionedStatus.conditions').filter((c) => c.type === 'Ready');
    const good = list.find((c) => c.status === 'True');
    if (good) return health('Healthy', good.reason);
    return list.length > 0 ? health('Progressing', list.at(-1).reason) : undefined;
  }, 'Progressing: Waiting for stack to be installed'),
};
