import { byValue, type GroupRules, rule } from '../rules.ts';

const job = '{status.ansibleJobResult.status} job - {status.ansibleJobResult.url}';

export const rules: GroupRules = {
  AnsibleJob: rule(
    byValue('status.ansibleJobResult.status', {
      successful: `Healthy: ${job}`,
      failed: `Degraded: ${job}`,
      error: `Degraded: ${job}`,
      canceled: `Degraded: ${job}`,
      new: `Progressing: ${job}`,
      pending: `Progressing: ${job}`,
      waiting: `Progressing: ${job}`,
      running: `Progressing: ${job}`,
    }),
    'Progressing: Waiting for AnsibleJob',
  ),
};
