import {
  byValue,
  field,
  type GroupRules,
  health,
  listOf,
  type Loose,
  requires,
  rule,
  when,
} from '../rules.ts';

const PHASES: Record<string, string[]> = {
  Healthy: ['Cluster in healthy state'],
  Progressing: [
    'Setting up primary',
    'Creating a new replica',
    'Upgrading cluster',
    'Waiting for the instances to become active',
    'Promoting to primary cluster',
  ],
  Degraded: [
    'Switchover in progress',
    'Failing over',
    'Upgrading Postgres major version',
    'Cluster upgrade delayed',
    'Waiting for user action',
    'Primary instance is being restarted in-place',
    'Primary instance is being restarted without a switchover',
    'Cluster cannot execute instance online upgrade due to missing architecture binary',
    'Online upgrade in progress',
    'Applying configuration',
  ],
  Suspended: [
    'Unable to create required cluster objects',
    'Cluster cannot proceed to reconciliation due to an unknown plugin being required',
    'Cluster has incomplete or invalid image catalog',
    'Cluster is unrecoverable and needs manual intervention',
  ],
};

/** Whether its generation was reconciled once. */
const isObserved = (o: Loose) =>
  field(o, 'metadata.generation') === undefined || o.status.observedGeneration === o.metadata.generation;

export const rules: GroupRules = {
  Backup: rule(
    byValue('status.phase', {
      completed: 'Healthy: Backup completed',
      failed: 'Degraded: {status.error|failed}',
      walArchivingFailing: 'Degraded: {status.error|walArchivingFailing}',
      '*': 'Progressing: {status.phase}',
    }),
    'Progressing: Waiting for backup',
  ),
  Cluster: rule(
    when(
      (o) => o.metadata?.annotations?.['cnpg.io/reconciliationLoop'] === 'disabled',
      'Suspended: Cluster reconciliation is suspended',
    ),
    when(
      (o) => field(o, 'status.conditions'),
      (o) => {
        const hibernation = listOf(o, 'status.conditions').find((c) => c.type === 'cnpg.io/hibernation');
        return (
          hibernation && health(hibernation.status === 'True' ? 'Suspended' : 'Degraded', hibernation.message)
        );
      },
      (o) => {
        const [status = 'Unknown'] = Object.keys(PHASES).filter((key) =>
          PHASES[key]!.includes(o.status.phase),
        );
        return health(status, o.status.phaseReason);
      },
    ),
    requires('status'),
    'Progressing: {status.phaseReason}',
  ),
  Database: rule(
    when((o) => !o.status, 'Progressing: Waiting for CloudNativePG to reconcile Database'),
    when(
      isObserved,
      when((o) => o.status.applied === true, 'Healthy: {status.message}'),
      when(
        (o) => o.status.applied === false,
        'Degraded: {status.message|CloudNativePG failed to apply the Database}',
      ),
    ),
    when((o) => o.status.message, 'Progressing: {status.message}'),
    'Progressing: Waiting for CloudNativePG to reconcile Database',
  ),
};
