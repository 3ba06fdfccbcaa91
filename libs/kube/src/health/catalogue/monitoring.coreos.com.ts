import { conditionOf, type GroupRules, health, rule, type Step } from '../rules.ts';

/** The last Available condition; some pods not ready is on the way, anything else is bad. */
const available: Step = rule((o) => {
  const last = conditionOf(o, 'Available');
  if (!last) return undefined;
  if (last.status === 'True') return health('Healthy', 'All instances are available');
  return health(last.reason === 'SomePodsNotReady' ? 'Progressing' : 'Degraded', last.message ?? last.reason);
}, 'Progressing: Waiting for initialization');

export const rules: GroupRules = { Alertmanager: available, Prometheus: available, ThanosRuler: available };
