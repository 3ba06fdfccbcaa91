import { type GroupRules, has, health, listOf, rule, type Step } from '../rules.ts';

/** Bad wins over good, and good may be paused; the message is that of the last condition that counts. */
const scaled = (waiting: string, bad: [string, string], good: [string, string][]): Step =>
  rule((o) => {
    const counts: [string, string][] = [['Ready', 'False'], bad, ...good];
    const list = listOf(o, 'status.conditions').filter((c) =>
      counts.some(([type, status]) => c.type === type && c.status === status),
    );
    const message = list.at(-1)?.message;
    if (has(o, 'Ready', 'False') || has(o, ...bad)) return health('Degraded', message);
    if (!has(o, 'Ready')) return undefined;
    return health(has(o, 'Paused') ? 'Suspended' : 'Healthy', message);
  }, `Progressing: ${waiting}`);
const good: [string, string][] = [
  ['Ready', 'True'],
  ['Paused', 'True'],
];

export const rules: GroupRules = {
  ScaledJob: scaled('Waiting for ScaledJob', ['Ready', 'Unknown'], good),
  ScaledObject: scaled('Creating HorizontalPodAutoscaler Object', ['Fallback', 'True'], good),
};
