import { byValue, type GroupRules, rule, type Step } from '../rules.ts';

const state = (kind: string): Step =>
  rule(
    byValue('status.state', {
      valid: `Healthy: ${kind} is valid`,
      invalid: `Degraded: {status.reason|${kind} is invalid}`,
      errored: `Degraded: {status.reason|${kind} is errored}`,
      expired: `Degraded: {status.reason|${kind} is expired}`,
      '*': `Progressing: {status.reason|${kind} is pending}`,
    }),
    `Progressing: Waiting for ${kind}`,
  );

export const rules: GroupRules = { Challenge: state('Challenge'), Order: state('Order') };
