import { type GroupRules, health, listOf, type Loose, rule, when } from '../rules.ts';

/** Only conditions of the present generation count, or a stale one would call a new spec healthy. */
const current = (o: Loose) =>
  listOf(o, 'status.conditions').filter((c) => c.observedGeneration === o.metadata.generation);

export const rules: GroupRules = {
  ExtensionService: rule((o) => {
    const valid = current(o).find((c) => c.type === 'Valid' && ['True', 'False'].includes(c.status));
    return valid && health(valid.status === 'True' ? 'Healthy' : 'Degraded', valid.message);
  }, 'Progressing: Waiting for status'),
  HTTPProxy: rule(
    (o) => {
      for (const c of current(o)) {
        if (c.type === 'Valid' && c.status === 'True') return health('Healthy', o.status.description);
        // Parents and children wait for each other: a parent cannot be judged alone.
        if (o.spec.includes !== undefined && c.status === 'False') {
          return health('Healthy', 'HTTPProxy inclusions cannot be health checked');
        }
        if (c.type === 'Valid' && c.status === 'False') return health('Degraded', o.status.description);
      }
      return undefined;
    },
    when(
      (o) => o.status && !o.status.conditions && o.status.currentStatus,
      'Progressing: {status.description}',
    ),
    'Progressing: Waiting for status',
  ),
};
