import { conditions, type GroupRules, ready, rule } from '../rules.ts';

export const rules: GroupRules = {
  Certificate: rule(
    conditions({ 'Issuing=True': 'Progressing: {.message}' }),
    ready('Waiting for certificate'),
  ),
  CertificateRequest: rule(
    conditions({ 'Denied=True': 'Degraded: {.message}', 'InvalidRequest=True': 'Degraded: {.message}' }),
    conditions({
      'Ready=True': 'Healthy: {.message}',
      'Ready=False/Failed': 'Degraded: {.message}',
      'Ready=False/Denied': 'Degraded: {.message}',
      Ready: 'Progressing: {.message}',
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

export const trust: GroupRules = { Bundle: ready('Waiting for Bundle to be synced', 'Synced') };
