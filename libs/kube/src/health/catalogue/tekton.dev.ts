import { conditions, type GroupRules, rule, type Step } from '../rules.ts';

const run = (kind: string): Step =>
  rule(
    conditions({
      'Succeeded=True': 'Healthy: {.message}',
      'Succeeded=False': 'Degraded: {.message}',
      Succeeded: 'Progressing: {.message}',
    }),
    `Progressing: Waiting for ${kind}`,
  );
export const rules: GroupRules = { PipelineRun: run('PipelineRun'), TaskRun: run('TaskRun') };
