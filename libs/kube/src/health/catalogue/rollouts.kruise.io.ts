import { type GroupRules, requires, rule, type Step, when } from '../rules.ts';

const step = (state: string, phases: string[], verdict: string): Step =>
  when((o) => o.status.canaryStatus.currentStepState === state && phases.includes(o.status.phase), verdict);

export const rules: GroupRules = {
  Rollout: rule(
    requires('status'),
    when(
      (o) => o.metadata.generation === o.status.observedGeneration,
      requires('status.canaryStatus'),
      step('StepPaused', ['Progressing'], 'Suspended: Rollout is Paused need manual intervention'),
      step('Completed', ['Healthy'], 'Healthy: Rollout is Completed'),
      step('StepPaused', ['Terminating', 'Disabled'], 'Degraded: Rollout is Disabled or Terminating'),
    ),
    'Progressing: Rollout is still progressing',
  ),
};
