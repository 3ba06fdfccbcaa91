import { field, type GroupRules, health, isOfAnotherGeneration, listOf, rule, type Step } from '../rules.ts';

const service: Step = rule((o) => {
  if (!Array.isArray(field(o, 'status.conditions'))) return undefined;
  for (const c of listOf(o, 'status.conditions')) {
    if (isOfAnotherGeneration(o, c)) {
      return health('Progressing', 'Waiting for spec update to be observed');
    }
    const bad =
      (c.type === 'Succeeded' && c.status === 'False') || (c.type === 'Failed' && c.status === 'True');
    if (bad) return health('Degraded', c.message);
  }
  return health('Healthy', 'Ready to use');
}, 'Progressing: Waiting for status');
export const rules: GroupRules = { ServiceBinding: service, ServiceInstance: service };
