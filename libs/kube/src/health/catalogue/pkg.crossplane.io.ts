import { conditionOf, type GroupRules, health, listOf, rule } from '../rules.ts';

export const rules: GroupRules = {
  Provider: rule((o) => {
    const told = [conditionOf(o, 'Installed'), conditionOf(o, 'Healthy')].filter((c) => c !== undefined);
    const reasons = told.flatMap((c) => c.reason ?? []);
    if (reasons.length === 0) return undefined;
    const good = told.length === 2 && told.every((c) => c.status === 'True');
    return health(good ? 'Healthy' : 'Degraded', reasons.join(' '));
  }, 'Progressing: Waiting for provider to be installed'),
};

export const stacks: GroupRules = {
  ClusterStackInstall: rule((o) => {
    const list = listOf(o, 'status.conditionedStatus.conditions').filter((c) => c.type === 'Ready');
    const good = list.find((c) => c.status === 'True');
    if (good) return health('Healthy', good.reason);
    return list.length > 0 ? health('Progressing', list.at(-1).reason) : undefined;
  }, 'Progressing: Waiting for stack to be installed'),
};
