import { type Paging, at, v1 } from './client-paths.ts';
import type { RequestOptions as Options, Transport } from './client-transport.ts';
import type {
  ListRollouts,
  ListRolloutTargets,
  RolloutDetail,
  RolloutList,
  RolloutLog,
  RolloutPolicyList,
  RolloutPolicyView,
  RolloutReleases,
  ReplayRollout,
  RolloutReplay,
  RolloutTargetList,
  RolloutVerb,
  RolloutView,
} from './rollouts.ts';

/** Rollouts and their policies. */
export function rolloutRoutes(http: Transport) {
  const path = `${v1}/rollouts`;
  const policies = `${v1}/rollout-policies`;
  return {
    list: (query: Partial<ListRollouts> = {}, o?: Options) => http.get<RolloutList>(path, query, o),
    get: (id: string, query: { targets?: number } = {}, o?: Options) =>
      http.get<RolloutDetail>(`${path}/${at(id)}`, query, o),
    targets: (id: string, query: Partial<ListRolloutTargets> = {}, o?: Options) =>
      http.get<RolloutTargetList>(`${path}/${at(id)}/targets`, query, o),
    log: (id: string, query: Paging = {}, o?: Options) =>
      http.get<RolloutLog>(`${path}/${at(id)}/log`, query, o),
    releases: (id: string, o?: Options) =>
      http.get<RolloutReleases>(`${path}/${at(id)}/releases`, undefined, o),
    replay: (id: string, query: Partial<ReplayRollout> = {}, o?: Options) =>
      http.get<RolloutReplay>(`${path}/${at(id)}/replay`, query, o),
    ask: (id: string, verb: RolloutVerb, o?: Options) =>
      http.post<RolloutView>(`${path}/${at(id)}/verbs`, verb, o),
    policies: (o?: Options) => http.get<RolloutPolicyList>(policies, undefined, o),
    policy: (name: string, o?: Options) =>
      http.get<RolloutPolicyView>(`${policies}/${at(name)}`, undefined, o),
    removePolicy: (name: string, o?: Options) => http.delete(`${policies}/${at(name)}`, undefined, o),
  };
}
