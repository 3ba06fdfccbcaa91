import { byValue, type GroupRules, rule } from '../rules.ts';

export const rules: GroupRules = {
  postgresql: rule(
    byValue('status.PostgresClusterStatus', {
      Running: 'Healthy: {status.PostgresClusterStatus}',
      Creating: 'Progressing: {status.PostgresClusterStatus}',
      Updating: 'Progressing: {status.PostgresClusterStatus}',
      '*': 'Degraded: {status.PostgresClusterStatus}',
    }),
    'Progressing: Waiting for postgres cluster status...',
  ),
};
