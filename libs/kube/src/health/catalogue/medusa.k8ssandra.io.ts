import { field, type GroupRules, isStale, listOf, rule, type Step, when } from '../rules.ts';

const lacks = (path: string) => (o: unknown) => field(o, path) === undefined;
const finished: Step = rule(
  when((o) => listOf(o, 'status.finished').length > 0, 'Healthy'),
  'Progressing',
);

/** The generation has to be the observed one; then what is finished and what has failed decide, in this order. */
const counted = (waiting: string, ...then: Step[]): Step =>
  rule(
    when(lacks('status'), 'Unknown: No status object'),
    when(lacks('status.observedGeneration'), 'Unknown: No observedGeneration'),
    when(
      (o) => isStale(o) || lacks('metadata.generation')(o),
      'Progressing: observedGeneration is not equal to generation',
    ),
    when((o) => lacks('status.finished')(o) && lacks('status.failed')(o), waiting),
    ...then,
  );

export const rules: GroupRules = {
  MedusaBackupJob: counted(
    'Progressing: Status not known yet',
    when((o) => !lacks('status.finished')(o), finished),
    'Degraded: Failed nodes exist',
  ),
  MedusaTask: counted(
    'Progressing',
    when((o) => !lacks('status.failed')(o), 'Degraded: Failed nodes exist'),
    finished,
  ),
};
