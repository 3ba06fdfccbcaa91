import { conditions, type GroupRules, rule, type Step } from '../rules.ts';

const strimzi = (waiting: string): Step =>
  rule(
    conditions({ 'NotReady=True': 'Degraded: {.message}', 'Ready=True': 'Healthy' }),
    `Progressing: ${waiting}`,
  );

export const rules: GroupRules = {
  Kafka: rule(
    conditions({
      'NotReady=True/Creating': 'Progressing: Waiting for Kafka Cluster',
      'NotReady=True': 'Degraded: {.message}',
      'Ready=True': 'Healthy',
    }),
    'Progressing: Waiting for Kafka Cluster',
  ),
  KafkaBridge: strimzi('Waiting for KafkaBridge'),
  KafkaConnect: strimzi('Waiting for Kafka Connect'),
  KafkaConnector: strimzi('Waiting for KafkaConnector'),
  KafkaTopic: strimzi('Waiting for Kafka Topic'),
  KafkaUser: strimzi('Waiting for Kafka User'),
};
