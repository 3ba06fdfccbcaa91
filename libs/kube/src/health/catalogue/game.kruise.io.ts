import { conditions, field, type GroupRules, health, type Loose, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  GameServer: rule(
    when((o) => !o.status, 'Unknown: Waiting for GameServer to be ready'),
    when(
      (o) => o.status.currentState !== o.status.desiredState,
      'Progressing: State change: {status.currentState|Unknown} → {status.desiredState|Unknown}',
    ),
    conditions(
      { 'KruisePodReady!=True': 'Degraded: Pod is not ready: {.type}' },
      'status.podStatus.conditions',
    ),
    when((o) => o.status.currentState === 'Ready', 'Healthy: GameServer is Ready'),
    'Unknown: Waiting for GameServer to be ready',
  ),
  GameServerSet: rule(
    when(
      (o) => o.status && o.metadata.generation === o.status.observedGeneration,
      (o) => {
        const rolling: Loose = field(o, 'spec.updateStrategy.rollingUpdate') ?? {};
        const partition = rolling.partition ?? 0;
        const { updatedReplicas = 0, replicas = 0, updatedReadyReplicas = 0, readyReplicas = 0 } = o.status;
        if (rolling.paused === true) return health('Suspended', 'GameServerSet is paused');
        if (partition !== 0 && updatedReplicas >= replicas - partition) {
          return health('Suspended', `Partition=${partition}, waiting for manual intervention`);
        }
        if (updatedReadyReplicas === replicas)
          return health('Healthy', 'All GameServerSet replicas are updated and ready');
        return readyReplicas < replicas
          ? health('Progressing', `ReadyReplicas ${readyReplicas}/${replicas}, still progressing`)
          : undefined;
      },
    ),
    'Progressing: Waiting for GameServerSet initialization',
  ),
};
