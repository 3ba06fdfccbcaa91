import { byValue, conditionOf, conditions, field, type GroupRules, health, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  VirtualMachine: rule(
    conditions({ 'Paused=True': 'Suspended: Paused' }),
    when(
      (o) =>
        (field(o, 'spec.running') === false || field(o, 'spec.runStrategy') === 'Halted') &&
        !o.status?.created,
      'Healthy: Stopped as declared',
    ),
    (o) => {
      const last = conditionOf(o, 'Ready');
      const printable = field(o, 'status.printableStatus');
      if (!last) return printable === undefined ? undefined : health('Progressing', printable);
      if (last.status === 'True') return health('Healthy', printable ?? 'Running');
      return o.status.created
        ? health('Progressing', printable ?? 'Starting')
        : health('Suspended', printable ?? 'Stopped');
    },
    'Progressing: No status available',
  ),
  VirtualMachineInstance: rule(
    byValue('status.phase', {
      Failed: 'Degraded: {status.phase}',
      Pending: 'Progressing: {status.phase}',
      Scheduling: 'Progressing: {status.phase}',
      Scheduled: 'Progressing: {status.phase}',
      Succeeded: 'Suspended: {status.phase}',
      Unknown: 'Unknown: {status.phase}',
    }),
    conditions({ 'Paused=True': 'Suspended: {.message}' }),
    (o) => {
      const last = conditionOf(o, 'Ready');
      return (
        last && (last.status === 'True' ? health('Healthy', 'Running') : health('Degraded', last.message))
      );
    },
    byValue('status.phase', { '*': 'Progressing: {status.phase}' }),
    'Progressing: No status available',
  ),
};
