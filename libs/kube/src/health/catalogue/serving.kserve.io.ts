import {
  conditionOf,
  conditions,
  field,
  type GroupRules,
  health,
  isOfAnotherGeneration,
  isStale,
  listOf,
  type Loose,
  need,
  rule,
  when,
} from '../rules.ts';

const describe = (c: Loose) =>
  [need(c.type, 'type'), need(c.status, 'status'), c.reason, c.message].filter(Boolean).join(' | ');

export const rules: GroupRules = {
  InferenceService: rule(
    when((o) => !o.status, 'Progressing: Waiting for InferenceService to report status...'),
    conditions({ 'Stopped=True': 'Suspended: InferenceService is Stopped' }),
    (o) => {
      const transition = o.status.modelStatus
        ? need(o.status.modelStatus.transitionStatus, 'transitionStatus')
        : 'UpToDate';
      const told = transition === 'UpToDate' ? '' : `0: transitionStatus | ${transition}`;
      if (!o.status.conditions) return health('Progressing', told);
      const list = listOf(o, 'status.conditions')
        .map((c, i) => [c, i + 1] as const)
        .filter(([c]) => c.type !== 'Stopped');
      const bad = list.filter(([c]) => c.status !== 'True');
      const message = told + bad.map(([c, i]) => ` | ${i}: ${describe(c)}`).join('');
      const open =
        listOf(o, 'status.conditions').some((c) => c.status === 'Unknown') ||
        bad.some(([c]) => c.status === 'False');
      if (transition === 'UpToDate' && !open) return health('Healthy', 'InferenceService is healthy.');
      return health(
        transition === 'UpToDate' || transition === 'InProgress' ? 'Progressing' : 'Degraded',
        message,
      );
    },
  ),
  LLMInferenceService: rule(
    when(
      (o) => !field(o, 'status.conditions'),
      'Progressing: Waiting for LLMInferenceService to report status...',
    ),
    (o) => {
      const ready = conditionOf(o, 'Ready');
      const list = listOf(o, 'status.conditions');
      const message = list
        .filter((c) => c.type !== 'Ready' && c.status !== 'True')
        .map((c) => {
          const state = `${need(c.type, 'type')}: ${need(c.status, 'status')}`;
          return [state, c.reason, c.message].filter(Boolean).join(' | ');
        })
        .join('; ');
      if (isStale(o) || (ready && isOfAnotherGeneration(o, ready))) {
        const what = 'LLMInferenceService reconciliation (generation mismatch)';
        return health('Progressing', `Waiting for ${what}`);
      }
      if (list.some((c) => c.reason === 'Stopped'))
        return health('Suspended', 'LLMInferenceService is Stopped');
      if (ready?.status === 'True') return health('Healthy', 'LLMInferenceService is healthy.');
      const text = message || ready?.message || 'Waiting for LLMInferenceService to report status...';
      return health(ready?.status === 'False' ? 'Degraded' : 'Progressing', text);
    },
  ),
};
