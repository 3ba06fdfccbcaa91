import { type GroupRules, health, listOf, type Loose, need, rule } from '../rules.ts';

export const rules: GroupRules = {
  PodDisruptionBudget: rule((o) => {
    const list = listOf(o, 'status.conditions');
    const told = (c: Loose) => `PodDisruptionBudget has ${need(c.reason, 'reason')}`;
    const bad = list.find((c) => c.status === 'False' && c.reason !== 'InsufficientPods');
    if (bad) return health('Degraded', told(bad));
    return list.length > 0 ? health('Healthy', told(list.at(-1))) : undefined;
  }, 'Progressing: Waiting for status'),
};
