import { byValue, type GroupRules, rule } from '../rules.ts';

const BAD = [
  'Statefulset not controlled by operator',
  'Another MinIO Tenant already exists in the namespace',
  'Tenant credentials are not set properly',
  'Different versions across MinIO Pools',
  'Pool Decommissioning Not Allowed',
];

export const rules: GroupRules = {
  Tenant: rule(
    byValue('status.currentState', {
      Initialized: 'Healthy: {status.currentState}',
      ...Object.fromEntries(BAD.map((state) => [state, 'Degraded: {status.currentState}'])),
      '*': 'Progressing: {status.currentState}',
    }),
    'Progressing: No status info available',
  ),
};
