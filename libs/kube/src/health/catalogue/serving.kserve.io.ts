import {
  conditionOf,
  conditions,
  field,
  type GroupRules,
  health,
  isStale,
  listOf,
  type Loose,
  need,
  rule,
  when,
} from '../rules.ts';

const describe = (c: Loose) => [c.type, c.status, c.reason, c.message].filter(Boolean).join(' | ');

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
    when(
      (o) =>
        isStale(o) ||
        listOf(o, 'status.conditions').some(
          (c) => c.observedGeneration !== undefined && c.observedGeneration !== o.metadata.generation,
        ),
      'Progressing: Waiting for LLMInferenceService reconciliation (generation mismatch)',
    ),
    (o) => {
      const ready = conditionOf(o, 'Ready');
      if (!ready) return undefined;
      if (ready.reason === 'Stopped') return health('Suspended', 'LLMInferenceService is Stopped');
      if (ready.status === 'True') return health('Healthy', 'LLMInferenceService is healthy.');
      const bad = listOf(o, 'status.conditions').filter((c) => c.type !== 'Ready' && c.status !== 'True');
      const message = bad
        .map((c) => [`${c.type}: ${c.status}`, c.reason, c.message].filter(Boolean).join(' | '))
        .join('; ');
      return health(ready.status === 'False' ? 'Degraded' : 'Progressing', message);
    },
    'Progressing: Waiting for LLMInferenceService to report status...',
  ),
};
