import {
  conditions,
  field,
  type GroupRules,
  health,
  listOf,
  type Loose,
  rule,
  type Step,
  when,
} from '../rules.ts';

export const rules: GroupRules = {
  ClusterPolicy: rule(
    conditions({ 'Ready=True': 'Healthy: {.message}', 'Ready=False': 'Degraded: {.message}' }),
    'Progressing: Waiting for ClusterPolicy to become ready',
  ),
  Policy: rule((o) => {
    const isGood = (c: Loose) =>
      c.type === 'Ready' && c.status === 'True' && c.reason === 'Succeeded' && c.message === 'Ready';
    return listOf(o, 'status.conditions').some(isGood) ? health('Healthy', 'Policy is ready') : undefined;
  }, 'Progressing: Waiting for Policy to be ready'),
};

const admitted = (kind: string): Step =>
  rule(
    when(
      (o) => field(o, 'status.conditionStatus'),
      (o) => {
        const list = listOf(o, 'status.conditionStatus.conditions');
        if (o.status.conditionStatus.ready === true)
          return health('Healthy', list.at(-1)?.message ?? `${kind} is ready`);
        const bad = list.filter((c) => c.status === 'False').map((c) => `${c.type}: ${c.message ?? ''}`);
        return bad.length > 0 ? health('Degraded', bad.join(', ')) : undefined;
      },
    ),
    `Progressing: Waiting for ${kind} status`,
  );
const KINDS = ['Deleting', 'Generating', 'ImageValidating', 'Mutating', 'Validating'].flatMap((verb) => [
  `${verb}Policy`,
  `Namespaced${verb}Policy`,
]);

export const policies: GroupRules = Object.fromEntries(KINDS.map((kind) => [kind, admitted(kind)]));
