import { conditions, type GroupRules, health, listOf, ready, rule } from '../rules.ts';

export const rules: GroupRules = {
  Certificate: rule(
    conditions({ 'Issuing=True': 'Progressing: {.message}' }),
    ready('Waiting for certificate'),
  ),
  CertificateRequest: rule(
    conditions({ 'Denied=True': 'Degraded: {.message}', 'InvalidRequest=True': 'Degraded: {.message}' }),
    conditions({
      'Ready=True': 'Healthy: {.message}',
      'Ready=*/Pending': 'Progressing: {.message}',
      Ready: 'Degraded: {.message}',
    }),
    'Progressing: Waiting for certificate request',
  ),
  ClusterIssuer: ready('Initializing ClusterIssuer'),
  Issuer: ready('Initializing issuer'),
};

/** The group's name before 0.11. */
export const legacy: GroupRules = {
  Certificate: ready('Waiting for certificate'),
  Issuer: ready('Initializing issuer'),
};

export const trust: GroupRules = {
  Bundle: rule((o) => {
    const synced = listOf(o, 'status.conditions').find((c) => c.type === 'Synced');
    if (!synced) return undefined;
    if (synced.status === 'True') return health('Healthy', synced.message ?? 'Bundle is synced');
    return health('Degraded', synced.message ?? synced.reason ?? 'Bundle is not synced');
  }, 'Progressing: Waiting for Bundle to be synced'),
};
