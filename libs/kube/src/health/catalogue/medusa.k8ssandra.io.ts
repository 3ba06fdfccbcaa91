import { field, type GroupRules, isStale, listOf, rule, type Step, when } from '../rules.ts';

const counted = (waiting: string): Step =>
  rule(
    when((o) => field(o, 'status.observedGeneration') === undefined, 'Unknown: No observedGeneration'),
    when(isStale, 'Progressing: observedGeneration is not equal to generation'),
    when((o) => listOf(o, 'status.failed').length > 0, 'Degraded: Failed nodes exist'),
    when((o) => o.status.finishTime && listOf(o, 'status.finished').length > 0, 'Healthy'),
    waiting,
  );

export const rules: GroupRules = {
  MedusaBackupJob: counted('Progressing: Status not known yet'),
  MedusaTask: counted('Progressing'),
};
