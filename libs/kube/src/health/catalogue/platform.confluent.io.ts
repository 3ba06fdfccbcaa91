import { byValue, field, type GroupRules, health, rule, type Step, when } from '../rules.ts';

const running = (kind: string): Step =>
  rule(
    byValue('status.phase', {
      RUNNING: `Healthy: ${kind} running`,
      PROVISIONING: `Progressing: ${kind} provisioning`,
    }),
    `Progressing: Waiting for ${kind}`,
  );

export const rules: GroupRules = {
  Connect: running('Connect'),
  Connector: rule(
    when(
      (o) => field(o, 'status.state'),
      when(
        (o) =>
          o.status.state === 'CREATED' &&
          o.status.connectorState === 'RUNNING' &&
          o.status.failedTasksCount === undefined,
        'Healthy: Connector running',
      ),
      when(
        (o) => o.status.state === 'ERROR' && o.status.conditions?.length > 0,
        (o) => health('Degraded', o.status.conditions[0].message),
      ),
      when((o) => o.status.state === 'ERROR', 'Degraded: No conditions available'),
      when((o) => o.status.failedTasksCount > 0, 'Degraded: Connector has failed tasks'),
    ),
    'Progressing: Waiting for Kafka Connector',
  ),
  ControlCenter: running('ControlCenter'),
  Kafka: running('Kafka'),
  KsqlDB: running('KsqlDB'),
  SchemaRegistry: running('SchemaRegistry'),
  Zookeeper: running('Zookeeper'),
};
