import { conditions, field, type GroupRules, health, isStale, rule, type Step, when } from '../rules.ts';

/** Capsule and its add-ons: one Ready condition, stale while the generation differs. */
const reconciled = (...before: Step[]): Step =>
  rule(
    when((o) => !field(o, 'status.conditions'), 'Progressing: Waiting for status'),
    when(isStale, 'Progressing: Waiting for reconciliation (generation mismatch)'),
    ...before,
    conditions({
      'Ready=True': 'Healthy: {.message}',
      'Ready=False': 'Degraded: {.message}',
    }),
    'Progressing: Waiting for Ready condition',
  );
const cordoned = when((o) => field(o, 'spec.cordoned') === true, 'Suspended: Replication is cordoned');

/** Unlike Capsule's own kinds these say what they are at. */
const working = reconciled(
  conditions({
    'Ready=True': 'Healthy: {.message}',
    'Ready=False': 'Degraded: {.message}',
    Ready: 'Progressing: {.message}',
  }),
);

export const addons: GroupRules = {
  GlobalSopsSecret: working,
  SopsProvider: working,
  SopsSecret: working,
};

export const capsule: GroupRules = {
  CapsuleConfiguration: reconciled(),
  CustomQuota: reconciled(),
  GlobalCustomQuota: reconciled(),
  GlobalProxySettings: reconciled(),
  GlobalTenantResource: rule(cordoned, reconciled()),
  ProxySetting: reconciled(),
  ResourcePool: reconciled(conditions({ 'Ready=False': 'Degraded: {.message}' }), (o) => {
    const exhausted = Object.keys(field(o, 'status.exhaustions') ?? {}).sort();
    return exhausted.length > 0
      ? health('Degraded', `Pool exhausted for: ${exhausted.join(', ')}`)
      : undefined;
  }),
  ResourcePoolClaim: reconciled(
    conditions({ 'Bound=False': 'Suspended: {.message}' }),
    conditions({ 'Ready=False': 'Degraded: {.message}' }),
  ),
  Tenant: reconciled(conditions({ 'Cordoned=True': 'Suspended: {.message}' })),
  TenantOwner: reconciled(),
  TenantResource: rule(cordoned, reconciled()),
};
