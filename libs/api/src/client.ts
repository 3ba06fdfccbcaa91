import type {
  ApplicationDetail,
  ApplicationDiff,
  ApplicationHistory,
  ApplicationList,
  ApplicationManifests,
  ApplicationResources,
  ApplicationRevision,
  CommandStarted,
  ConfirmRequest,
  ListApplications,
  SyncRequest,
} from './applications.ts';
import type { ApplicationSetList, ApplicationSetView } from './applicationsets.ts';
import type { ApplyRequest, ApplyResult } from './apply.ts';
import type { AuditPage, AuditQuery } from './audit.ts';
import { type HubEvent, readEvents } from './client-events.ts';
import { type ClientOptions, type RequestOptions, Transport } from './client-transport.ts';
import type {
  ApproveCluster,
  ClusterChange,
  ClusterPage,
  ClusterView,
  CreatedJoinToken,
  JoinTokenView,
  LabelClusters,
  LabelledClusters,
  ListClusters,
  NewJoinToken,
  RemoveCluster,
  RemovedCluster,
  RevokedCertificates,
} from './clusters.ts';
import type { CommandView } from './commands.ts';
import type { KeysView, RotateKeys } from './keys.ts';
import type { Page } from './paging.ts';
import { planWithProgress } from './client-plan.ts';
import type { PlanInput } from './plan.ts';
import type { ProjectList, ProjectView } from './projects.ts';
import type { ApplicationWindows, ProjectWindows } from './windows.ts';
import type { AcceptDrift, AcceptedDrift, ForgetDrift } from './drift.ts';
import type { SettingsView } from './settings.ts';
import type {
  ActOnUnclaimed,
  ConfirmRecovery,
  ListUnclaimed,
  RecoveryView,
  UnclaimedAct,
  UnclaimedPage,
} from './recovery.ts';
import { type LogEvent, readLogs } from './client-logs.ts';
import type {
  GetEvents,
  GetLogs,
  GetResource,
  ResourceAction,
  ResourceEvents,
  ResourceTree,
  ResourceView,
} from './resources.ts';
import type { AddRepository, RefreshRepository, RepositoryList, RepositoryView } from './repositories.ts';
import type {
  ApplyDecisions,
  DecisionKey,
  DecisionList,
  PluginList,
  PluginView,
  SetPlugin,
} from './generators.ts';
import { groupRoutes, roleBindingRoutes, sessionRoutes, tokenRoutes, userRoutes } from './client-access.ts';
import { type Input, type ListQuery, type Paging, at, v1 } from './client-paths.ts';
import { promotionRoutes } from './client-promotions.ts';
import { releaseRoutes } from './client-releases.ts';
import { rolloutRoutes } from './client-rollouts.ts';
import type { PinRequest, Pinned, UnpinRequest, Unpinned } from './pins.ts';
import type { FleetSummary } from './status.ts';
import type { AskWhy, WhyView } from './why.ts';

export type { HubEvent } from './client-events.ts';
export type { LogEvent } from './client-logs.ts';
export type { ClientOptions, RequestOptions } from './client-transport.ts';

type Options = RequestOptions;

/** The hub's public API: one function a route, nothing more. Every function throws MusterError. */
export type HubClient = ReturnType<typeof hubClient>;

/** A client of one hub as one actor. Holds no connection; streams and requests end with their signals. */
export function hubClient(options: ClientOptions) {
  const http = new Transport(options);
  return {
    options: http.options,
    session: sessionRoutes(http),
    users: userRoutes(http),
    groups: groupRoutes(http),
    roleBindings: roleBindingRoutes(http),
    tokens: tokenRoutes(http),
    applications: applicationRoutes(http),
    applicationSets: applicationSetRoutes(http),
    projects: projectRoutes(http),
    settings: {
      get: (o?: Options) => http.get<SettingsView>(`${v1}/settings`, undefined, o),
      remove: (o?: Options) => http.delete(`${v1}/settings`, undefined, o),
    },
    clusters: clusterRoutes(http),
    joinTokens: joinTokenRoutes(http),
    repositories: repositoryRoutes(http),
    plugins: pluginRoutes(http),
    decisions: decisionRoutes(http),
    rollouts: rolloutRoutes(http),
    releases: releaseRoutes(http),
    promotions: promotionRoutes(http),
    unclaimed: unclaimedRoutes(http),
    recovery: {
      get: (o?: Options) => http.get<RecoveryView>(`${v1}/recovery`, undefined, o),
      confirm: (body: ConfirmRecovery = {}, o?: Options) =>
        http.post<RecoveryView>(`${v1}/recovery/confirm`, body, o),
    },
    keys: {
      get: (o?: Options) => http.get<KeysView>(`${v1}/keys`, undefined, o),
      rotate: (body: Partial<RotateKeys> = {}, o?: Options) =>
        http.post<KeysView>(`${v1}/keys/rotate`, body, o),
    },
    /** All or nothing: one document that is refused refuses all. */
    apply: (body: Input<ApplyRequest, 'dryRun'>, o?: Options) =>
      http.post<ApplyResult>(`${v1}/apply`, body, o),
    /** What a change would do; `say` hears how far it is. Hanging up (the signal) ends it. */
    plan: (body: PlanInput, say: (progress: string) => void = () => {}, o?: Options) =>
      planWithProgress(http, body, say, o),
    /** With `waitSeconds` (at most 120): as soon as there is an outcome, at the latest after so long. */
    command: (id: string, waitSeconds = 0, o?: Options) =>
      http.get<CommandView>(`${v1}/commands/${at(id)}`, { wait: waitSeconds || undefined }, o),
    audit: (query: ListQuery<AuditQuery> = {}, o?: Options) => http.get<AuditPage>(`${v1}/audit`, query, o),
    /** What blocks an Application, or the Applications of a set. */
    why: (ns: string, name: string, query: AskWhy = {}, o?: Options) =>
      http.get<WhyView>(`${v1}/why/${at(ns, name)}`, query, o),
    summary: (o?: Options) => http.get<FleetSummary>(`${v1}/summary`, undefined, o),
    /** Live changes, until the signal ends it; resumes by itself when the stream is cut. */
    events: (o?: Options): AsyncGenerator<HubEvent, void, undefined> => readEvents(http, o),
    openApi: (o?: Options) => http.get<Record<string, unknown>>(`${v1}/openapi.json`, undefined, o),
  };
}

/** Every item of a paged list. */
export async function* everyItem<T>(
  page: (after: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let after: string | undefined;
  do {
    const { items, next } = await page(after);
    yield* items;
    after = next;
  } while (after !== undefined);
}

/** All items of a paged list, at most `limit`. */
export async function allItems<T>(
  page: (after: string | undefined) => Promise<Page<T>>,
  limit = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const items: T[] = [];
  for await (const item of everyItem(page)) {
    if (items.length >= limit) break;
    items.push(item);
  }
  return items;
}

function applicationRoutes(http: Transport) {
  const path = `${v1}/applications`;
  const of = (ns: string, name: string, part = '') => `${path}/${at(ns, name)}${part}`;
  return {
    list: (query: ListQuery<ListApplications> = {}, o?: Options) => http.get<ApplicationList>(path, query, o),
    get: (ns: string, name: string, o?: Options) => http.get<ApplicationDetail>(of(ns, name), undefined, o),
    /** `cascade` left out: what the finalizer of the Application says. */
    remove: (ns: string, name: string, query: { cascade?: boolean } = {}, o?: Options) =>
      http.delete(of(ns, name), query, o),
    sync: (ns: string, name: string, body: Input<SyncRequest, 'dryRun'> = {}, o?: Options) =>
      http.post<CommandStarted>(of(ns, name, '/sync'), body, o),
    refresh: (ns: string, name: string, o?: Options) =>
      http.post<Partial<CommandStarted>>(of(ns, name, '/refresh'), {}, o),
    confirm: (ns: string, name: string, body: ConfirmRequest, o?: Options) =>
      http.post<CommandStarted>(of(ns, name, '/confirm'), body, o),
    terminate: (ns: string, name: string, o?: Options) =>
      http.post<CommandStarted>(of(ns, name, '/terminate'), {}, o),
    approveDeletions: (ns: string, name: string, body: { reason?: string | undefined } = {}, o?: Options) =>
      http.post<{ approved: number }>(of(ns, name, '/approve-deletions'), body, o),
    pin: (ns: string, name: string, body: PinRequest, o?: Options) =>
      http.post<Pinned>(of(ns, name, '/pin'), body, o),
    unpin: (ns: string, name: string, body: UnpinRequest, o?: Options) =>
      http.post<Unpinned>(of(ns, name, '/unpin'), body, o),
    restore: (ns: string, name: string, o?: Options) => http.post<void>(of(ns, name, '/restore'), {}, o),
    acceptedDrift: (ns: string, name: string, o?: Options) =>
      http.get<AcceptedDrift>(of(ns, name, '/accepted-drift'), undefined, o),
    acceptDrift: (ns: string, name: string, body: AcceptDrift = {}, o?: Options) =>
      http.post<AcceptedDrift>(of(ns, name, '/accepted-drift'), body, o),
    forgetDrift: (ns: string, name: string, query: ForgetDrift = {}, o?: Options) =>
      http.delete(of(ns, name, '/accepted-drift'), query, o),
    diff: (ns: string, name: string, o?: Options) =>
      http.get<ApplicationDiff>(of(ns, name, '/diff'), undefined, o),
    history: (ns: string, name: string, o?: Options) =>
      http.get<ApplicationHistory>(of(ns, name, '/history'), undefined, o),
    /** Whether it is at a commit, or beyond it. */
    revision: (ns: string, name: string, commit: string, o?: Options) =>
      http.get<ApplicationRevision>(of(ns, name, `/revisions/${at(commit)}`), undefined, o),
    resources: (ns: string, name: string, o?: Options) =>
      http.get<ApplicationResources>(of(ns, name, '/resources'), undefined, o),
    tree: (ns: string, name: string, o?: Options) =>
      http.get<ResourceTree>(of(ns, name, '/resources/tree'), undefined, o),
    resource: (ns: string, name: string, query: Input<GetResource, 'diff'>, o?: Options) =>
      http.get<ResourceView>(of(ns, name, '/resources/resource'), query, o),
    events: (ns: string, name: string, query: GetEvents = {}, o?: Options) =>
      http.get<ResourceEvents>(of(ns, name, '/resources/events'), query, o),
    /** Lines as they come, at last why there are no more; the signal ends it, in the cluster too. */
    logs: (
      ns: string,
      name: string,
      query: Partial<GetLogs> = {},
      o?: Options,
    ): AsyncGenerator<LogEvent, void, undefined> => readLogs(http, of(ns, name, '/resources/logs'), query, o),
    act: (ns: string, name: string, body: Input<ResourceAction, 'parameters'>, o?: Options) =>
      http.post<CommandStarted>(of(ns, name, '/resources/actions'), body, o),
    manifests: (ns: string, name: string, o?: Options) =>
      http.get<ApplicationManifests>(of(ns, name, '/manifests'), undefined, o),
    windows: (ns: string, name: string, o?: Options) =>
      http.get<ApplicationWindows>(of(ns, name, '/windows'), undefined, o),
  };
}

function applicationSetRoutes(http: Transport) {
  const path = `${v1}/applicationsets`;
  return {
    list: (query: Paging & { project?: string; search?: string } = {}, o?: Options) =>
      http.get<ApplicationSetList>(path, query, o),
    get: (ns: string, name: string, o?: Options) =>
      http.get<ApplicationSetView>(`${path}/${at(ns, name)}`, undefined, o),
    /** `approve`: an approver lets all its Applications leave at once. */
    remove: (ns: string, name: string, query: { approve?: boolean } = {}, o?: Options) =>
      http.delete(`${path}/${at(ns, name)}`, query, o),
    /** Lets the removals go that the deletion budget holds. */
    approveDeletions: (ns: string, name: string, body: { reason?: string } = {}, o?: Options) =>
      http.post<{ approved: number }>(`${path}/${at(ns, name)}/approve-deletions`, body, o),
  };
}

function projectRoutes(http: Transport) {
  const path = `${v1}/projects`;
  return {
    list: (query: Paging = {}, o?: Options) => http.get<ProjectList>(path, query, o),
    get: (name: string, o?: Options) => http.get<ProjectView>(`${path}/${at(name)}`, undefined, o),
    windows: (name: string, o?: Options) =>
      http.get<ProjectWindows>(`${path}/${at(name)}/windows`, undefined, o),
    remove: (name: string, o?: Options) => http.delete(`${path}/${at(name)}`, undefined, o),
  };
}

function clusterRoutes(http: Transport) {
  const path = `${v1}/clusters`;
  return {
    list: (query: ListQuery<ListClusters> = {}, o?: Options) => http.get<ClusterPage>(path, query, o),
    get: (name: string, o?: Options) => http.get<ClusterView>(`${path}/${at(name)}`, undefined, o),
    /** Labels and annotations given here replace all there are. */
    change: (name: string, body: ClusterChange, o?: Options) =>
      http.json<ClusterView>('PATCH', `${path}/${at(name)}`, body, o),
    /** Sets and removes labels of all clusters that a selector takes, in one step. */
    label: (body: Input<LabelClusters, 'set' | 'remove'>, o?: Options) =>
      http.json<LabelledClusters>('PATCH', path, body, o),
    remove: (name: string, query: RemoveCluster, o?: Options) =>
      http.delete<RemovedCluster>(`${path}/${at(name)}`, query, o),
    approve: (name: string, body: ApproveCluster = {}, o?: Options) =>
      http.post<ClusterView>(`${path}/${at(name)}/approve`, body, o),
    revokeCertificates: (name: string, o?: Options) =>
      http.post<RevokedCertificates>(`${path}/${at(name)}/revoke-certificates`, {}, o),
  };
}

function joinTokenRoutes(http: Transport) {
  const path = `${v1}/join-tokens`;
  type New = Input<
    NewJoinToken,
    'labels' | 'annotations' | 'local' | 'autoApprove' | 'maxUses' | 'expiresInSeconds'
  >;
  return {
    list: (query: Paging = {}, o?: Options) => http.get<Page<JoinTokenView>>(path, query, o),
    create: (body: New, o?: Options) => http.post<CreatedJoinToken>(path, body, o),
    revoke: (id: string, o?: Options) => http.delete(`${path}/${at(id)}`, undefined, o),
  };
}

function repositoryRoutes(http: Transport) {
  const path = `${v1}/repositories`;
  return {
    list: (query: Paging = {}, o?: Options) => http.get<RepositoryList>(path, query, o),
    add: (body: Input<AddRepository, 'insecure' | 'skipCheck'>, o?: Options) =>
      http.post<RepositoryView>(path, body, o),
    remove: (id: string, o?: Options) => http.delete(`${path}/${at(id)}`, undefined, o),
    refresh: (id: string, body: Partial<RefreshRepository> = {}, o?: Options) =>
      http.post<void>(`${path}/${at(id)}/refresh`, body, o),
  };
}

function pluginRoutes(http: Transport) {
  const path = `${v1}/plugins`;
  return {
    list: (o?: Options) => http.get<PluginList>(path, undefined, o),
    set: (name: string, body: Input<SetPlugin, 'timeoutSeconds'>, o?: Options) =>
      http.put<PluginView>(`${path}/${at(name)}`, body, o),
    remove: (name: string, o?: Options) => http.delete(`${path}/${at(name)}`, undefined, o),
  };
}

function decisionRoutes(http: Transport) {
  const path = `${v1}/decisions`;
  return {
    list: (o?: Options) => http.get<DecisionList>(path, undefined, o),
    apply: (body: ApplyDecisions, o?: Options) => http.put<DecisionList>(path, body, o),
    remove: (key: DecisionKey, o?: Options) => http.delete(path, key, o),
  };
}

function unclaimedRoutes(http: Transport) {
  const path = `${v1}/unclaimed`;
  return {
    list: (query: ListQuery<ListUnclaimed> = {}, o?: Options) => http.get<UnclaimedPage>(path, query, o),
    act: (
      cluster: string,
      ns: string,
      name: string,
      act: UnclaimedAct,
      body: ActOnUnclaimed = {},
      o?: Options,
    ) => http.post<void>(`${path}/${at(cluster, ns, name)}/${act}`, body, o),
  };
}
