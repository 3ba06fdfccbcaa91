import { byValue, conditions, field, type GroupRules, rule, when } from '../rules.ts';

const none = 'Progressing: No status available';
const run = rule(
  byValue('status.state', {
    Completed: 'Healthy: {kind} Completed',
    Running: 'Progressing: {kind} Running',
    '*': 'Degraded: {status.state}',
  }),
  none,
);

export const rules: GroupRules = {
  AppVault: rule(
    byValue('status.state', {
      available: 'Healthy: {kind} Available',
      Available: 'Healthy: {kind} Available',
      failed: 'Degraded: {kind} Failed',
      Failed: 'Degraded: {kind} Failed',
    }),
    none,
  ),
  Application: rule(
    conditions({
      'Ready=True': 'Healthy: Astra Application Ready, protectionState: {status.protectionState}',
      'Ready=False': 'Degraded: Astra Application Degraded, message: {.message}',
    }),
    none,
  ),
  Backup: run,
  ExecHook: rule(
    byValue('spec.enabled', { true: 'Healthy: {kind} enabled', false: 'Suspended: {kind} disabled' }),
    none,
  ),
  ExecHooksRun: run,
  ResourceBackup: run,
  ResticVolumeBackup: run,
  Schedule: rule(
    when(
      (o) => field(o, 'status.lastScheduleTime'),
      'Healthy: Protection policy lastScheduleTime: {status.lastScheduleTime}',
    ),
    'Healthy: Protection policy not yet executed',
  ),
  Snapshot: run,
};
