import { conditions, field, type GroupRules, isStale, rule, say, when } from '../rules.ts';

/** Google's Config Connector: its own kinds say `status.healthy`, resources give a reason. */
export const rules: GroupRules = {
  '*': rule(
    when(
      (o) =>
        ['ConfigConnector', 'ConfigConnectorContext'].includes(o.kind) &&
        field(o, 'status.healthy') !== undefined &&
        !isStale(o),
      (o) =>
        o.status.healthy === true
          ? say('Healthy: {kind} is healthy', o)
          : say('Degraded: {kind} is not healthy', o),
    ),
    when(
      (o) => !isStale(o),
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
