import { byValue, field, type GroupRules, health, listOf, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  Cluster: rule(
    when((o) => o.spec.paused, 'Suspended: Cluster is paused'),
    (o) => {
      const failed = listOf(o, 'status.conditions').find(
        (c) => c.type === 'Ready' && c.status === 'False' && c.severity !== 'Info',
      );
      return failed && health('Degraded', failed.message);
    },
    byValue('status.phase', { Provisioned: 'Healthy: Cluster is running', Failed: 'Degraded' }),
    'Progressing: Waiting for clusters',
  ),
  Machine: (o) => {
    const phase = field(o, 'status.phase');
    if (phase === 'Running') return health('Healthy', 'Machine is running');
    const notReady = listOf(o, 'status.conditions').find((c) => c.type === 'Ready' && c.status === 'False');
    const message = notReady ? notReady.message : 'Condition is unknown';
    return health(phase === 'Failed' ? 'Degraded' : 'Progressing', message);
  },
  MachineDeployment: rule(
    when((o) => o.spec.paused, 'Suspended: MachineDeployment is paused'),
    byValue('status.phase', {
      Running: 'Healthy: Machines are running under this deployment',
      ScalingUp: 'Progressing: Cluster is spawning machines',
      ScalingDown: 'Progressing: Cluster is stopping machines',
      Failed: 'Degraded: MachineDeployment is failed',
    }),
    'Progressing: Waiting for machines',
  ),
  MachineHealthCheck: rule(
    when(
      (o) => field(o, 'status.currentHealthy') !== undefined,
      (o) => health(o.status.expectedMachines === o.status.currentHealthy ? 'Healthy' : 'Degraded'),
    ),
    'Progressing',
  ),
  MachinePool: (o) => {
    const phase = field(o, 'status.phase');
    const good = phase === 'Running' || phase === 'Scaling';
    const bad = phase === 'Failed' || phase === 'Unknown';
    const extra = listOf(o, 'status.conditions')
      .filter((c) => c.type !== undefined && c.status === 'False')
      .map((c) => `Not ${c.type}${c.reason !== undefined ? ` (${c.reason})` : ''}`)
      .join(', ');
    const message = phase === undefined ? '' : `MachinePool is ${phase}`;
    return health(
      good ? 'Healthy' : bad ? 'Degraded' : 'Progressing',
      extra ? `${message}: ${extra}` : message,
    );
  },
};
