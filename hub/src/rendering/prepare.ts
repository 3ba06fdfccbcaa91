import type { Application, ApplicationSource } from '@muster/appset';
import { MusterError } from '@muster/base';
import { type Project, destinationDecision, sourceDecision } from '@muster/kube';
import { checkApplication } from '../applications/application-manifest.ts';
import type { ApplicationRecord } from '../applications/application-records.service.ts';
import type { ClusterFacts } from '../clusters/clusters.service.ts';
import { type RevisionState, stateKey } from '../sources/sources.service.ts';
import { type NewCondition, errorCondition } from './conditions.ts';
import { sourcePath } from './tool.ts';

/** What is known of the world when Applications are prepared. */
export interface World {
  projects: ReadonlyMap<string, Project>;
  /** By destination as written (`destinationKey`). */
  clusters: ReadonlyMap<string, ClusterFacts>;
  revisions: ReadonlyMap<string, RevisionState>;
}

/** An Application that can be rendered. */
export interface Prepared {
  record: ApplicationRecord;
  application: Application;
  source: ApplicationSource;
  path: string;
  project: Project;
  cluster: ClusterFacts;
  repositoryId: string;
  revision: string;
  state: RevisionState & { commit: string };
  conditions: NewCondition[];
}

/** Checks one Application against its project, its destination and its source. What stops it is a condition. */
export function prepare(
  record: ApplicationRecord,
  world: World,
): Prepared | { record: ApplicationRecord; cluster?: ClusterFacts; conditions: NewCondition[] } {
  const { row, manifest } = record;
  const stop = (type: string, thrown: unknown) => ({
    record,
    cluster: world.clusters.get(destinationKey(manifest)),
    conditions: [errorCondition(type, thrown)],
  });
  try {
    const checked = checkApplication(manifest, '');
    const { application, source } = checked;
    const conditions = checked.notices.map((message) => ({ type: 'UnsupportedField', message }));
    const project = world.projects.get(row.project);
    if (!project)
      return stop(
        'InvalidSpec',
        new MusterError('not-found', `there is no project ${row.project}`, { where: 'spec.project' }),
      );
    const cluster = world.clusters.get(destinationKey(application));
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
    const allowed = [
      sourceDecision(project, source.repoURL),
      destinationDecision(project, {
        server: cluster.server,
        name: cluster.name,
        namespace: application.spec.destination.namespace ?? '',
      }),
    ];
    for (const decision of allowed)
      if (!decision.allowed) return stop('ProjectDenied', new MusterError('forbidden', decision.reason));
    if (!row.repository_id) {
      return stop(
        'InvalidSpec',
        new MusterError('invalid', `the hub cannot read the repository ${source.repoURL}`, {
          where: 'spec.source.repoURL',
          hint: 'https, ssh, and file where the hub allows it',
        }),
      );
    }
    const revision = row.revision ?? 'HEAD';
    const state = world.revisions.get(stateKey(row.repository_id, revision)) ?? {};
    if (state.error) conditions.push({ type: 'SourceError', message: state.error });
    if (!state.commit) return { record, cluster, conditions };
    return {
      record,
      application,
      source,
      path: sourcePath(source),
      project,
      cluster,
      repositoryId: row.repository_id,
      revision,
      state: { ...state, commit: state.commit },
      conditions,
    };
  } catch (thrown) {
    return stop('InvalidSpec', thrown);
  }
}

export function isPrepared(found: ReturnType<typeof prepare>): found is Prepared {
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
