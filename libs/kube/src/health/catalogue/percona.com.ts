import { byValue, field, type GroupRules, health, listOf, rule, say, when } from '../rules.ts';

const STATES: Record<string, string> = {
  initializing: 'Progressing',
  ready: 'Healthy',
  error: 'Degraded',
  stopping: 'Progressing',
  paused: 'Suspended',
};
const nodes = '{status.ready}/{status.size} node(s) are ready';

export const mongodb: GroupRules = {
  PerconaServerMongoDB: rule(
    when((o) => !o.status, 'Unknown: Cluster status is unknown'),
    (o) => say(`${STATES[o.status.state] ?? 'Unknown'}: ${nodes}`, o),
  ),
};

export const xtradb: GroupRules = {
  PerconaXtraDBCluster: rule(
    byValue('status.state', {
      initializing: `Progressing: ${nodes}`,
      ready: `Healthy: ${nodes}`,
      paused: 'Unknown: Cluster is paused',
      stopping: 'Degraded: Cluster is stopping ({status.ready}/{status.size} node(s) are ready)',
    }),
    when(
      (o) => field(o, 'status.state') === 'error',
      (o) => health('Degraded', `Cluster is on error: ${listOf(o, 'status.message').join(', ')}`),
    ),
    'Unknown: Cluster status is unknown. Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues',
  ),
};
