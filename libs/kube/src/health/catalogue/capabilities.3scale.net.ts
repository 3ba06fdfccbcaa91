import { conditions, field, type GroupRules, has, health, listOf, rule, type Step, when } from '../rules.ts';

const INVALID = 'configuration is invalid';
const ORPHAN = 'references non-existing resources';

/** Every condition that is True, in order: one of the type `good` is Healthy, those in `bad` Degraded. */
const trueConditions = (
  kind: string,
  good: string,
  bad: Record<string, string>,
  others: Record<string, string> = {},
): Step =>
  rule(
    conditions({
      [`${good}=True`]: `Healthy: 3scale ${kind} is ${good.toLowerCase()}`,
      ...Object.fromEntries(
        Object.entries(bad).map(([type, text]) => [
          `${type}=True`,
          `Degraded: {.message|3scale ${kind} ${text}}`,
        ]),
      ),
      ...others,
    }),
    `Progressing: Waiting for 3scale ${kind} status...`,
  );
const isId = (value: unknown) => typeof value === 'number' && value > 0;

export const rules: GroupRules = {
  ActiveDoc: trueConditions('ActiveDoc', 'Ready', {
    Invalid: INVALID,
    Orphan: ORPHAN,
    Failed: 'synchronization failed',
  }),
  Application: rule(
    when((o) => field(o, 'status.state') === 'suspended', 'Suspended: 3scale Application is suspended'),
    (o) => {
      for (const c of listOf(o, 'status.conditions')) {
        if (c.type !== 'Ready') continue;
        if (c.status === 'True') return health('Healthy', '3scale Application is ready');
        if (!isId(o.status.adminId))
          return health('Degraded', c.message ?? '3scale Application is not ready');
      }
      return undefined;
    },
    'Progressing: Waiting for 3scale Application status...',
  ),
  ApplicationAuth: trueConditions('ApplicationAuth', 'Ready', { Failed: 'failed' }),
  Backend: trueConditions('Backend', 'Synced', { Invalid: INVALID, Failed: 'synchronization failed' }),
  CustomPolicyDefinition: trueConditions('CustomPolicyDefinition', 'Ready', {
    Invalid: INVALID,
    Failed: 'synchronization failed',
  }),
  DeveloperAccount: trueConditions(
    'DeveloperAccount',
    'Ready',
    { Invalid: INVALID, Failed: 'synchronization failed' },
    { 'Waiting=True': 'Suspended: {.message|3scale DeveloperAccount is waiting for approval}' },
  ),
  DeveloperUser: rule(
    when(
      (o) => field(o, 'status.developerUserState') === 'suspended',
      'Suspended: 3scale Developer user is waiting for admin approval',
    ),
    trueConditions('DeveloperUser', 'Ready', {
      Invalid: INVALID,
      Orphan: ORPHAN,
      Failed: 'synchronization failed',
    }),
  ),
  OpenAPI: trueConditions('OpenAPI', 'Ready', { Invalid: INVALID, Failed: 'reconciliation failed' }),
  Product: trueConditions('Product', 'Synced', {
    Invalid: INVALID,
    Orphan: ORPHAN,
    Failed: 'synchronization failed',
  }),
  ProxyConfigPromote: trueConditions(
    'ProxyConfigPromote',
    'Ready',
    { Failed: 'failed' },
    { 'In-progress=True': 'Progressing: {.message|3scale ProxyConfigPromote is in progress}' },
  ),
  Tenant: rule(
    when(
      (o) => o.status && has(o, 'Ready') && isId(o.status.tenantId) && isId(o.status.adminId),
      'Healthy: 3scale Tenant is ready',
    ),
    conditions({ 'Ready!=True': 'Degraded: {.message|3scale Tenant is degraded}' }),
    'Progressing: Waiting for 3scale Tenant status...',
  ),
};
