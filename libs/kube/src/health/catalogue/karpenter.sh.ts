import { conditions, type GroupRules, has, isStale, ready, rule, when } from '../rules.ts';

export const aws: GroupRules = {
  EC2NodeClass: ready('Waiting for EC2NodeClass to be ready', 'Ready', 'EC2NodeClass is ready'),
};

export const rules: GroupRules = {
  NodeClaim: rule(
    when(isStale, 'Progressing: Waiting for NodeClaim spec to be reconciled'),
    conditions({ 'Disrupting=True': 'Suspended: {.message}' }),
    conditions({ 'Ready=True': 'Healthy: {.message}', 'Ready=False': 'Degraded: {.message}' }),
    when((o) => has(o, 'Initialized'), 'Progressing: Node initialized, waiting for Ready'),
    when((o) => has(o, 'Registered'), 'Progressing: Node registered, waiting for initialization'),
    when((o) => has(o, 'Launched'), 'Progressing: Node launched, waiting for registration'),
    'Progressing: Waiting for NodeClaim to be launched',
  ),
  NodePool: ready('Waiting for NodePool to be ready'),
};
