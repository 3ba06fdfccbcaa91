import { byValue, field, type GroupRules, health, listOf, need, ready, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  ClusterExternalSecret: rule(
    when(
      (o) => field(o, 'status.conditions'),
      (o) => {
        const last = need(listOf(o, 'status.conditions').at(-1), 'the last condition');
        if (last.status !== 'True') return undefined;
        if (last.type === 'Ready') return health('Healthy', last.message);
        return ['PartiallyReady', 'NotReady'].includes(last.type)
          ? health('Degraded', last.message)
          : undefined;
      },
    ),
    'Progressing: Waiting for ClusterExternalSecret',
  ),
  ClusterSecretStore: ready('Waiting for ClusterSecretStore'),
  ExternalSecret: ready('Waiting for ExternalSecret'),
  PushSecret: ready('Waiting for PushSecret'),
  SecretStore: ready('Waiting for SecretStore'),
};

/** The older Kubernetes External Secrets. */
export const legacy: GroupRules = {
  ExternalSecret: rule(
    when(
      (o) =>
        o.status &&
        o.status.status !== 'SUCCESS' &&
        need(o.status.status, 'status.status').startsWith('ERROR'),
      (o) => health('Degraded', o.status.status.replaceAll('ERROR, ', '')),
    ),
    byValue('status.status', { SUCCESS: 'Healthy: Fetched ExternalSecret.' }),
    'Progressing: Waiting for ExternalSecret.',
  ),
};
