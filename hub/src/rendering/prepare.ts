import type { Application } from '@muster/appset';
import { MusterError } from '@muster/base';
import {
  ANNOTATION,
  type ImpersonationMode,
  type Project,
  accountDecision,
  destinationDecision,
  sourceDecision,
} from '@muster/kube';
import { checkApplication } from '../applications/application-manifest.ts';
import {
  type PlacedSource,
  addressOfSource,
  nameOfSource,
  revisionOf,
} from '../applications/application-sources.ts';
import type { ClusterFacts } from '../clusters/clusters.service.ts';
import { HUB_ID } from '../roots/hub-destination.ts';
import { scopeDenial } from '../sources/repository-scope.ts';
import { type RevisionState, stateKey } from '../sources/sources.service.ts';
import { type NewCondition, errorCondition } from './conditions.ts';
import { sourcePath } from './tool.ts';

/** An Application to be rendered: one that there is, or one that there might be. `id` is whatever the caller knows it by. */
export interface Subject {
  id: string;
  /** As it is stored: with its namespace. */
  manifest: Application;
}

/** What is known of the world when Applications are prepared. */
export interface World {
  projects: ReadonlyMap<string, Project>;
  /** By destination as written (`destinationKey`). */
  clusters: ReadonlyMap<string, ClusterFacts>;
  /** Ids by address (`addressOfSource`). */
  repositories: ReadonlyMap<string, string>;
  /** Projects of repositories that belong to one, by id. */
  scopes: ReadonlyMap<string, string>;
  /** By `stateKey`. */
  revisions: ReadonlyMap<string, RevisionState>;
  impersonation: ImpersonationMode;
}

/** A source that can be read. */
export interface PreparedSource extends PlacedSource {
  path: string;
  repositoryId: string;
  revision: string;
  state: RevisionState & { commit: string };
}

/** An Application that can be rendered. */
export interface Prepared {
  id: string;
  application: Application;
  /** All of them, in order. */
  sources: PreparedSource[];
  project: Project;
  cluster: ClusterFacts;
  account: Account;
  conditions: NewCondition[];
}

/** Whom its cluster's agent acts as for an Application. */
export interface Account {
  /** `namespace/name`; '': itself. */
  name: string;
  /** Those that the project lists for the destination. */
  allowed: string[];
  needed: boolean;
}

/** An Application that something stops: its conditions say what. */
export interface Stopped {
  id: string;
  cluster?: ClusterFacts | undefined;
  conditions: NewCondition[];
}

/** Checks one Application against its project, its destination and its sources. What stops it is a condition. */
export function prepare({ id, manifest }: Subject, world: World): Prepared | Stopped {
  const cluster = world.clusters.get(destinationKey(manifest));
  const stop = (type: string, thrown: unknown) => ({
    id,
    cluster,
    conditions: [errorCondition(type, thrown)],
  });
  try {
    const checked = checkApplication(manifest, '');
    const { application } = checked;
    const conditions = checked.notices.map((message) => ({ type: 'UnsupportedField', message }));
    const name = manifest.spec.project || 'default';
    const project = world.projects.get(name);
    if (!project)
      return stop(
        'InvalidSpec',
        new MusterError('not-found', `there is no project ${name}`, { where: 'spec.project' }),
      );
    if (!cluster) {
      return stop(
        'InvalidSpec',
        new MusterError(
          'not-found',
          `no registered and approved cluster is ${describeDestination(application)}`,
          { where: 'spec.destination' },
        ),
      );
    }
    const denied = denials(application, checked.sources, project, cluster, world);
    if (denied) return stop('ProjectDenied', denied);
    const account = accountFor(application, project, cluster, world);
    if ('reason' in account) return stop('ProjectDenied', new MusterError('forbidden', account.reason));
    const sources: PreparedSource[] = [];
    for (const placed of checked.sources) {
      const found = prepareSource(placed, world);
      if (found.error) conditions.push({ type: 'SourceError', message: found.error });
      if (found.source) sources.push(found.source);
    }
    if (sources.length < checked.sources.length) return { id, cluster, conditions };
    return { id, application, sources, project, cluster, account, conditions };
  } catch (thrown) {
    return stop('InvalidSpec', thrown);
  }
}

/** What the project does not allow, before anything is read. */
function denials(
  application: Application,
  sources: readonly PlacedSource[],
  project: Project,
  cluster: ClusterFacts,
  world: World,
): MusterError | undefined {
  for (const { source, where } of sources) {
    const decision = sourceDecision(project, source.repoURL);
    if (!decision.allowed)
      return new MusterError('forbidden', decision.reason, several(sources) ? { where } : {});
    const scope = world.scopes.get(world.repositories.get(addressOfSource(source)) ?? '');
    const foreign = scopeDenial(source.repoURL, scope, project.name, where);
    if (foreign) return foreign;
  }
  const destination = destinationDecision(project, {
    server: cluster.server,
    name: cluster.name,
    namespace: application.spec.destination.namespace ?? '',
  });
  return destination.allowed ? undefined : new MusterError('forbidden', destination.reason);
}

/** The hub writes what goes to it by the rights of whoever applied it, not as an account. */
function accountFor(
  { metadata, spec }: Application,
  project: Project,
  cluster: ClusterFacts,
  { impersonation }: World,
): Account | { reason: string } {
  if (cluster.id === HUB_ID) return { name: '', allowed: [], needed: false };
  const decision = accountDecision(
    project,
    {
      server: cluster.server,
      cluster: cluster.name,
      namespace: spec.destination.namespace ?? '',
      applicationNamespace: metadata.namespace ?? '',
      asked: metadata.annotations?.[ANNOTATION.serviceAccount],
    },
    impersonation,
  );
  if (!decision.allowed) return { reason: decision.reason };
  const { account: name, accounts: allowed } = decision;
  return { name, allowed, needed: name !== '' };
}

/** Without `source`: it was never read, or `error` says why not. Throws `invalid` for what can never be. */
function prepareSource(
  placed: PlacedSource,
  world: World,
): { source?: PreparedSource; error?: string | undefined } {
  const { source, where } = placed;
  const repositoryId = world.repositories.get(addressOfSource(source));
  if (!repositoryId) {
    throw new MusterError('invalid', `the hub cannot read the repository ${source.repoURL}`, {
      where: `${where}.repoURL`,
      hint: 'https, ssh, oci, and file where the hub allows it',
    });
  }
  const revision = revisionOf(source);
  const path = sourcePath(source, where);
  const { commit, error, ...state } = world.revisions.get(stateKey(repositoryId, revision)) ?? {};
  const message = error && (where === 'spec.source' ? error : `${nameOfSource(placed)}: ${error}`);
  if (!commit) return { error: message };
  return { source: { ...placed, path, repositoryId, revision, state: { ...state, commit } }, error: message };
}

function several(sources: readonly PlacedSource[]): boolean {
  return sources[0]?.where !== 'spec.source';
}

export function isPrepared(found: Prepared | Stopped): found is Prepared {
  return 'application' in found;
}

/** Equal for destinations that are looked up alike. */
export function destinationKey(manifest: Application): string {
  const { name, server } = manifest.spec?.destination ?? {};
  return name ? `name ${name}` : `server ${server ?? ''}`;
}

function describeDestination(application: Application): string {
  const { name, server } = application.spec.destination;
  return name ? `named ${name}` : `at ${server}`;
}
