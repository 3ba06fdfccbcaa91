import { field, type GroupRules, health, type Loose, rule, when } from '../rules.ts';

/** Gloo writes states as names or as numbers. */
const stateOf = (status: Loose): ReturnType<typeof health> | undefined => {
  const { state, reason } = status;
  if (state === 'Accepted' || state === 1) return health('Healthy', 'The resource has been validated');
  if (state === 'Warning' || state === 3 || state === 'Rejected' || state === 2)
    return health('Degraded', reason);
  return state === 'Pending' || state === 0
    ? health('Suspended', 'The resource has not yet been validated')
    : undefined;
};

const validated = rule(
  (o) => {
    for (const status of Object.values(field(o, 'status.statuses') ?? {})) {
      const answer = stateOf(status);
      if (answer) return answer;
    }
    return undefined;
  },
  when(
    (o) => o.status,
    (o) => stateOf(o.status),
  ),
  'Progressing: Update in progress',
);

export const gateway: GroupRules = {
  Gateway: validated,
  MatchableHttpGateway: validated,
  RouteOption: validated,
  RouteTable: validated,
  VirtualHostOption: validated,
  VirtualService: validated,
};
export const gloo: GroupRules = {
  Proxy: validated,
  Settings: validated,
  Upstream: validated,
  UpstreamGroup: validated,
};
