import { byValue, field, type GroupRules, health, type Loose, rule, when } from '../rules.ts';

const report =
  'is unknown. Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues';

export const beat: GroupRules = {
  Beat: rule(
    when(
      (o) => o.status && (o.status.health ?? o.status.expectedNodes) !== undefined,
      byValue('status.health', {
        red: 'Degraded: Elastic Beat status is Red',
        green: 'Healthy: Elastic Beat status is Green',
      }),
      when(
        (o) =>
          o.status.health === 'yellow' &&
          o.status.availableNodes !== undefined &&
          o.status.expectedNodes !== undefined,
        'Progressing: Elastic Beat status is deploying, there is {status.availableNodes} instance(s) on {status.expectedNodes} expected',
      ),
      when(
        (o) => o.status.health === 'yellow' || o.status.health === undefined,
        'Progressing: Elastic Beat phase is progressing',
      ),
    ),
    `Unknown: Elastic Beat status ${report}`,
  ),
};

const checkShards = 'Check the status of indices, replicas and shards';
export const elasticsearch: GroupRules = {
  Elasticsearch: rule(
    when(
      (o) => field(o, 'status.availableNodes') !== undefined,
      (o) => {
        const sum = o.spec.nodeSets.reduce((total: number, node: Loose) => total + node.count, 0);
        const available = o.status.availableNodes;
        if (available < sum) {
          return health(
            'Progressing',
            `The desired amount of availableNodes is ${sum} but the current amount is ${available}`,
          );
        }
        if (available !== sum || !o.status.phase || !o.status.health) return undefined;
        return rule(
          when(
            () => o.status.phase === 'Ready',
            byValue('status.health', {
              green: 'Healthy: Elasticsearch Cluster status is Green',
              yellow: `Progressing: Elasticsearch Cluster status is Yellow. ${checkShards}`,
              red: `Degraded: Elasticsearch Cluster status is Red. ${checkShards}`,
            }),
          ),
          byValue('status.phase', {
            ApplyingChanges: 'Progressing: Elasticsearch phase is ApplyingChanges',
            MigratingData: 'Progressing: Elasticsearch phase is MigratingData',
            Invalid: 'Degraded: Elasticsearch phase is Invalid',
          }),
        )(o);
      },
    ),
    `Unknown: Elasticsearch Cluster status ${report}`,
  ),
};

export const logstash: GroupRules = {
  Logstash: rule(
    byValue('status.health', {
      green: 'Healthy: Logstash status is Green',
      yellow: 'Progressing: Logstash status is Yellow',
      red: 'Degraded: Logstash status is Red',
    }),
    'Progressing: Waiting for Logstash',
  ),
};
