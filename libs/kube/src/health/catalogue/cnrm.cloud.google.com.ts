import { conditions, field, type GroupRules, health, type Loose, rule, when } from '../rules.ts';

/** Kinds of the operator itself. */
const OPERATOR = new Set(['ConfigConnector', 'ConfigConnectorContext']);

/** Google's Config Connector: its own kinds say `status.healthy`, resources give a reason. */
export const rules: GroupRules = {
  '*': rule(
    when(
      (o) => saysHealthy(o),
      (o) => {
        const word = o.status.healthy === true ? 'is healthy' : 'is not healthy';
        return health(o.status.healthy === true ? 'Healthy' : 'Degraded', `${o.kind} ${word}`);
      },
    ),
    when(
      (o) => o.status && isPresent(o),
      conditions({
        '*=True/UpToDate': 'Healthy: {.message}',
        '*/UpdateFailed': 'Degraded: {.message}',
        '*/DependencyNotFound': 'Degraded: {.message}',
        '*/DependencyNotReady': 'Suspended: {.message}',
      }),
    ),
    'Progressing: Update in progress',
  ),
};

/** Whether `status.healthy` is there and of the present generation; customizations have 0 for one never written. */
function saysHealthy(o: Loose): boolean {
  if (field(o, 'status.healthy') === undefined) return false;
  if (OPERATOR.has(o.kind) && isPresent(o)) return true;
  const customizes = String(o.apiVersion).startsWith('customize.core.cnrm.cloud.google.com/');
  return customizes && (o.status.observedGeneration === 0 || isPresent(o));
}

function isPresent(o: Loose): boolean {
  const observed = field(o, 'status.observedGeneration');
  return observed === undefined || observed === field(o, 'metadata.generation');
}
