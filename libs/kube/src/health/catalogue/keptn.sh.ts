import { byValue, field, type GroupRules, requires, rule, type Step, when } from '../rules.ts';

const outcome = (kind: string, path = 'status.status'): Step =>
  rule(
    requires('status'),
    byValue(path, { Succeeded: `Healthy: ${kind} is healthy`, Failed: `Degraded: ${kind} is degraded` }),
    `Progressing: ${kind} is progressing`,
  );

export const lifecycle: GroupRules = {
  KeptnAppVersion: outcome('KeptnAppVersion'),
  KeptnEvaluation: outcome('KeptnEvaluation', 'status.overallStatus'),
  KeptnTask: outcome('KeptnTask'),
  KeptnWorkloadInstance: outcome('KeptnWorkloadInstance'),
  KeptnWorkloadVersion: outcome('KeptnWorkloadVersion'),
};

export const metrics: GroupRules = {
  Analysis: rule(
    when((o) => o.status.pass === true, 'Healthy: Analysis is healthy'),
    when((o) => o.status.warning === true, 'Healthy: Analysis is healthy with warnings'),
    when((o) => o.status.pass === false, 'Degraded: Analysis is degraded'),
    'Progressing: Analysis is progressing',
  ),
  KeptnMetric: rule(
    when((o) => o.status.errMsg, 'Degraded: KeptnMetric is degraded'),
    when((o) => field(o, 'status.value') !== undefined, 'Healthy: KeptnMetric is healthy'),
    'Progressing: KeptnMetric is progressing',
  ),
};
