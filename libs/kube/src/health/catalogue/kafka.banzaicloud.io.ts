import { field, type GroupRules, health, type Loose, rule, when } from '../rules.ts';

const SCALED = ['GracefulUpscaleSucceeded', 'GracefulDownscaleSucceeded'];

export const rules: GroupRules = {
  KafkaCluster: rule(
    when(
      (o) => field(o, 'status.state') === 'ClusterRollingUpgrading',
      'Progressing: Kafka Cluster is Rolling Upgrading.',
    ),
    when(
      (o) => field(o, 'status.brokersState'),
      (o) => {
        const isGood = (b: Loose) =>
          b.configurationState === 'ConfigInSync' &&
          SCALED.includes(b.gracefulActionState.cruiseControlState);
        if (!Object.values(o.status.brokersState).every(isGood)) {
          return health('Degraded', 'Broker Config is out of Sync or CruiseControlState is not Ready');
        }
        const { cruiseControlTopicStatus: topic, state } = o.status;
        if (topic === 'CruiseControlTopicReady' && state === 'ClusterRunning') {
          return health('Healthy', 'Kafka Brokers, CruiseControl and cluster are in Healthy State.');
        }
        const topicMissing = topic === undefined || topic === 'CruiseControlTopicNotReady';
        return topicMissing && state === 'ClusterReconciling'
          ? health('Progressing', 'Kafka Cluster is Reconciling.')
          : undefined;
      },
    ),
    'Progressing: Waiting for KafkaCluster',
  ),
};
