import { field, type GroupRules, rule, when } from '../rules.ts';

const snapshot = rule(
  when((o) => field(o, 'status.readyToUse'), 'Healthy: Ready to use'),
  when((o) => field(o, 'status.error'), 'Degraded: {status.error.message}'),
  'Progressing: Waiting for status',
);
export const rules: GroupRules = { VolumeSnapshot: snapshot, VolumeSnapshotContent: snapshot };
