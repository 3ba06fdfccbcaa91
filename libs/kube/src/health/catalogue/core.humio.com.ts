import { byValue, type GroupRules, requires, rule } from '../rules.ts';

const exists = rule(
  byValue('status.state', {
    Exists: 'Healthy: Component state: Exists.',
    NotFound: 'Missing: Component state: NotFound.',
    ConfigError: 'Degraded: Component state: ConfigError.',
    Unknown: 'Unknown: Component state: Unknown.',
  }),
  'Progressing: Update in progress',
);

export const rules: GroupRules = {
  HumioAction: exists,
  HumioAlert: exists,
  HumioCluster: rule(
    // Without any status the reference's own check fails.
    requires('status'),
    byValue('status.state', {
      Running: 'Healthy: {status.message|Cluster is in a healthy running state}',
      Restarting: 'Progressing: {status.message|Cluster pods are being restarted}',
      Upgrading: 'Progressing: {status.message|Cluster pods are being upgraded}',
      ConfigError:
        'Degraded: {status.message|User-provided cluster specification resulted in a configuration error}',
      Pending: 'Progressing: {status.message|Cluster is waiting on resources to be provisioned}',
      Unknown: 'Unknown: {status.message|Component state: Unknown.}',
    }),
    'Progressing: Update in progress',
  ),
  HumioIngestToken: exists,
  HumioParser: exists,
  HumioRepository: exists,
  HumioView: exists,
};
