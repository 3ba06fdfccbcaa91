import { byValue, type GroupRules, rule, type Step } from '../rules.ts';

const phases = (kind: string): Step =>
  rule(
    byValue('status.phase', {
      Completed: `Healthy: ${kind} completed`,
      Failed: 'Degraded: {status.failureReason|Failed}',
      PartiallyFailed: 'Degraded: {status.failureReason|PartiallyFailed}',
      FailedValidation: 'Degraded: {status.failureReason|FailedValidation}',
      FinalizingPartiallyFailed: 'Progressing: FinalizingPartiallyFailed',
      '*': 'Progressing: {status.phase}',
    }),
    `Progressing: Waiting for ${kind.toLowerCase()}`,
  );

export const rules: GroupRules = {
  Backup: phases('Backup'),
  Restore: phases('Restore'),
  Schedule: rule(
    byValue('status.phase', {
      Enabled: 'Healthy: Schedule is enabled',
      FailedValidation: 'Degraded: Schedule failed validation',
      '*': 'Progressing: {status.phase}',
    }),
    'Progressing: Waiting for schedule',
  ),
};
