import { field, type GroupRules, health, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  OpenTelemetryCollector: rule(
    when((o) => !o.status, 'Progressing: Waiting for OpenTelemetry Collector status'),
    when(
      (o) => field(o, 'status.scale.statusReplicas') === undefined,
      when((o) => o.spec.mode === 'sidecar', 'Healthy: Collector is running in sidecar mode'),
      'Progressing: Scale status not available',
    ),
    (o) => {
      const match = /([0-9]+)\/([0-9]+)/.exec(String(o.status.scale.statusReplicas));
      if (!match)
        return health('Progressing', `Unable to parse replica status: ${o.status.scale.statusReplicas}`);
      const [up, total] = [Number(match[1]), Number(match[2])];
      if (up === 0) {
        return o.spec?.mode === 'daemonset' && total === 0
          ? health('Healthy', 'DaemonSet has no eligible nodes (0/0)')
          : health('Degraded', 'No replicas are ready');
      }
      return up === total
        ? health('Healthy', 'All replicas are ready')
        : health('Progressing', 'Replicas are starting up');
    },
  ),
};
