import { conditionOf, conditions, type GroupRules, type Loose, rule, type Step, when } from '../rules.ts';

const topology = (name: string): Step =>
  rule(
    conditions({
      'Ready=True/SuccessfulCreateOrUpdate': `Healthy: RabbitMQ ${name} ready`,
      'Ready=False/FailedCreateOrUpdate': `Degraded: RabbitMQ ${name} failed to be created or updated`,
    }),
    `Unknown: RabbitMQ ${name} status is unknown`,
  );
const TOPOLOGY = ['Binding', 'Exchange', 'Permission', 'Policy', 'Queue', 'Shovel', 'User', 'Vhost'];
const either = (status: string, types: string[]) => (o: Loose) =>
  types.some((type) => conditionOf(o, type)?.status === status);

export const rules: GroupRules = {
  ...Object.fromEntries(TOPOLOGY.map((kind) => [kind, topology(kind.toLowerCase())])),
  RabbitmqCluster: rule(
    conditions({ 'ReconcileSuccess=False': 'Degraded: {.message}' }),
    when(
      either('Unknown', ['ClusterAvailable', 'AllReplicasReady']),
      'Progressing: Waiting for RabbitMQ cluster readiness (conditions unknown)',
    ),
    when((o) => {
      const all = conditionOf(o, 'AllReplicasReady');
      return all?.status === 'False' && all.reason === 'ScaledToZero' && o.spec.replicas === 0;
    }, 'Suspended: RabbitmqCluster is scaled to 0 replicas'),
    when(either('False', ['ClusterAvailable']), 'Progressing: Waiting for RabbitMQ cluster formation'),
    when(either('False', ['AllReplicasReady']), 'Progressing: Waiting for RabbitMQ instances ready'),
    when(
      (o) => either('True', ['ClusterAvailable'])(o) && either('True', ['AllReplicasReady'])(o),
      'Healthy: RabbitMQ cluster ready',
    ),
    'Progressing: Waiting for RabbitMQ Operator',
  ),
};
