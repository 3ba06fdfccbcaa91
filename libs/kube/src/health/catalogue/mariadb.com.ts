import {
  field,
  type GroupRules,
  health,
  listOf,
  type Loose,
  need,
  rule,
  say,
  type Step,
  when,
} from '../rules.ts';

const none = 'Progressing: No status info available';

/** Healthy unless a condition is False; the message is that of the last condition looked at. */
const noneFalse = (isFailure: (c: Loose) => boolean, message: (c: Loose) => string): Step =>
  rule(
    when(
      (o) => field(o, 'status.conditions'),
      (o) => {
        const list = listOf(o, 'status.conditions');
        const bad = list.find((c) => c.status === 'False');
        const told = bad ?? list.at(-1);
        const status = bad ? (isFailure(bad) ? 'Degraded' : 'Progressing') : 'Healthy';
        return health(status, told && message(told));
      },
    ),
    none,
  );
const pair = (c: Loose) => `${need(c.reason, 'reason')} ${need(c.message, 'message')}`;

/** Ready or not; without such a condition the last one is told. */
const readyOrNot: Step = (o) => {
  const list = listOf(o, 'status.conditions');
  const found = list.find((c) => c.type === 'Ready');
  if (found) return health(found.status === 'True' ? 'Healthy' : 'Degraded', found.message);
  return list.length > 0 ? health('Progressing', list.at(-1).message) : say(none, o);
};

export const rules: GroupRules = {
  Backup: noneFalse((c) => c.reason === 'CronJobScheduled' && c.message === 'Failed', pair),
  Database: readyOrNot,
  Grant: readyOrNot,
  MariaDB: noneFalse(
    (c) => c.reason === 'Failed',
    (c) => c.message,
  ),
  SqlJob: (o) => {
    let last: string | undefined;
    for (const c of listOf(o, 'status.conditions')) {
      last = pair(c);
      if (c.reason === 'JobComplete' && c.status === 'True') return health('Healthy', last);
      if (c.reason === 'JobFailed' && c.status === 'True') return health('Degraded', last);
    }
    return last === undefined ? say(none, o) : health('Progressing', last);
  },
  User: readyOrNot,
};
export const legacy: GroupRules = { MariaDB: rules.MariaDB! };
