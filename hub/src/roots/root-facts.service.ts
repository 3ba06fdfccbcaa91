import type { Application } from '@muster/appset';
import { type KubeObject, describeKey, keyOf } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { type ApplicationRecord, ApplicationRecords } from '../applications/application-records.service.ts';
import { isRendered, placedSources } from '../applications/application-sources.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { DEFAULT_PROJECT } from '../projects/project-manifest.ts';
import { objectRefusals } from '../projects/project-policy.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import { commitsOf } from '../releases/release-plan.ts';
import { sourcePath } from '../rendering/tool.ts';
import { SourcesService } from '../sources/sources.service.ts';
import { CHILD_GROUP, type ChildName, childKey } from './child.ts';
import {
  type BadDocument,
  type Child,
  type ChildDocuments,
  childDocuments,
  projectHash,
} from './child-documents.ts';
import { hubAsCluster, isHub, isInCluster } from './hub-destination.ts';
import { MAX_DEPTH, RootAuthority, type Standing } from './root-authority.service.ts';
import { locate } from './root-files.ts';
import type { LiveChild, OwnedChild, RootFacts } from './root-plan.ts';
import { type LiveApplication, type LiveSet, RootWorldRepository } from './root-world.repository.ts';
import { type ChildRow, type RootRow, RootsRepository } from './roots.repository.ts';

/** A root with everything that its next run is decided from. */
export interface LoadedRoot {
  record: ApplicationRecord;
  root: RootRow;
  facts: RootFacts;
  standing: Standing;
  /** Objects of it that belong on a cluster, where there is none for them. */
  homeless: string[];
  ids: Map<string, string>;
  /** Applications of sets, by the set's key. */
  weights: Map<string, number>;
}

const ERRORS = new Set(['RenderError', 'InvalidSpec', 'SourceError', 'ProjectDenied']);

/** Reads what a run over a root is decided from: documents, children, what they are now, what the root may do. */
@Injectable()
export class RootReader {
  constructor(
    @Inject(RootsRepository) private readonly repository: RootsRepository,
    @Inject(RootWorldRepository) private readonly world: RootWorldRepository,
    @Inject(RootAuthority) private readonly authorities: RootAuthority,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(BundlesService) private readonly bundles: BundlesService,
    @Inject(SourcesService) private readonly sources: SourcesService,
  ) {}

  /** Undefined: there is no such root. */
  async load(id: string, signal: AbortSignal): Promise<LoadedRoot | undefined> {
    const root = await this.repository.find(id);
    const [record] = await this.records.ofOwner(this.repository.db, { kind: 'application', id });
    if (!root || !record) return undefined;
    const { manifest, row } = record;
    const documents = childDocuments(
      await this.bundles.objects(root.bundle_digest),
      manifest.spec.destination.namespace ?? '',
    );
    const rows = await this.repository.children(id);
    const self = { kind: 'Application' as const, namespace: row.namespace, name: row.name };
    const standing = await this.authorities.of(id);
    const read = await this.#live(id, [...documents.children, ...rows]);
    const facts: RootFacts = {
      self,
      removing: root.removing && row.leaving_at !== null,
      children: documents.children,
      bad: await this.#located(documents.bad, record, signal),
      owned: rows.map(ownedOf),
      live: read.live,
      policy: policyOf(manifest),
      request: root.sync_request,
      denied: await this.#denied(documents, record, standing, read.ids),
    };
    const homeless = row.cluster_id === null ? documents.others.map((one) => describeKey(keyOf(one))) : [];
    return { record, root, facts, standing, homeless, ids: read.ids, weights: read.weights };
  }

  async #live(rootId: string, names: readonly ChildName[]) {
    const of = (kind: ChildName['kind']) => names.filter((one) => one.kind === kind);
    const [applications, sets, projects] = await Promise.all([
      this.world.applications(of('Application')),
      this.world.sets(of('ApplicationSet')),
      this.world.projects(of('AppProject').map((one) => one.name)),
    ]);
    const ids = new Map<string, string>();
    const weights = new Map<string, number>();
    const live: LiveChild[] = [];
    for (const one of applications) {
      const child = liveApplication(one, rootId);
      ids.set(childKey(child), one.id);
      live.push(child);
    }
    for (const one of sets) {
      const child = liveSet(one, rootId);
      ids.set(childKey(child), one.id);
      weights.set(childKey(child), one.total);
      live.push(child);
    }
    const untouched = projectHash(DEFAULT_PROJECT as Record<string, unknown>);
    for (const one of projects) {
      const hash = projectHash(one.manifest);
      live.push({
        kind: 'AppProject',
        namespace: '',
        name: one.name,
        project: one.name,
        hash,
        // The project default as the hub made it is nobody's work.
        owner:
          one.name === 'default' && hash === untouched && !one.root_id
            ? { mine: true }
            : ownerOf(one, rootId),
        sync: 'Synced',
        health: 'Healthy',
        message: '',
        busy: false,
        leaving: false,
        held: null,
        tombstoned: false,
      });
    }
    return { live, ids, weights };
  }

  async #denied(
    { children }: ChildDocuments,
    { row, manifest }: ApplicationRecord,
    { authority, ancestors }: Standing,
    ids: ReadonlyMap<string, string>,
  ): Promise<RootFacts['denied']> {
    const denied = new Map<string, { type: string; message: string }>();
    const project = (await this.projects.byName()).get(row.project);
    const cluster = hubAsCluster(manifest.spec.destination) ?? {
      name: row.destination,
      server: row.destination,
    };
    for (const child of children) {
      const key = childKey(child);
      const refuse = (type: string, message: string) => denied.set(key, { type, message });
      const id = ids.get(key);
      if (id && child.kind === 'Application' && ancestors.includes(id))
        refuse('ChildRefused', 'it is a root above this one: roots may not go in circles');
      else if (ancestors.length >= MAX_DEPTH && isRoot(child))
        refuse('ChildRefused', `roots are nested more than ${MAX_DEPTH} deep`);
      const object = {
        apiVersion: `${CHILD_GROUP}/v1alpha1`,
        kind: child.kind,
        metadata: { name: child.name, ...(child.namespace ? { namespace: child.namespace } : {}) },
      } as KubeObject;
      const [refusal] = project
        ? objectRefusals(
            project,
            cluster,
            [object],
            manifest.spec.destination.namespace ?? '',
            () => 'namespaced',
          )
        : [];
      const reason = refusal ?? beyond(child, row.project, authority);
      if (reason) refuse('ProjectDenied', reason);
    }
    return denied;
  }

  /** Bad documents with the file they stand in, where it can be told. */
  async #located(
    bad: readonly BadDocument[],
    { row, manifest }: ApplicationRecord,
    signal: AbortSignal,
  ): Promise<BadDocument[]> {
    if (bad.length === 0) return [];
    const files = new Map<string, string>();
    try {
      const sources = placedSources(manifest);
      const ids = await this.sources.known(sources.map(({ source }) => source.repoURL));
      for (const [i, { source, where }] of sources.entries()) {
        const [id, commit] = [ids.get(source.repoURL), commitsOf(row)[i]];
        if (!id || !commit || !isRendered(source)) continue;
        const tree = await this.sources.tree(id, commit, signal);
        for (const [name, file] of await locate(tree, sourcePath(source, where), bad)) files.set(name, file);
      }
    } catch {
      // Where it stands is a courtesy: what is wrong is said anyway.
      signal.throwIfAborted();
    }
    return bad.map((one) => {
      const file = files.get(`${one.kind}/${one.name}`);
      return file ? { ...one, message: `${file}: ${one.message}` } : one;
    });
  }
}

/** Why a child is more than a root may write; undefined: it may. */
function beyond(
  child: Child,
  project: string,
  { actor, operatorIn, admin }: Standing['authority'],
): string | undefined {
  const hint = `the root was applied by ${actor}; have it applied again by somebody who may, in a project that permits everything`;
  if (child.kind === 'AppProject') return admin ? undefined : `AppProjects need the role admin: ${hint}`;
  if (operatorIn === '*' || (child.project !== '' && operatorIn.includes(child.project))) return undefined;
  const where = child.project === '' ? 'a templated project' : `project ${child.project}`;
  return `${where} is not what a root of project ${project} may write: ${hint}`;
}

function isRoot({ document }: Child): boolean {
  if (document.kind !== 'Application') return false;
  const { destination } = document.application.spec;
  return isHub(destination) || isInCluster(destination);
}

function ownerOf(
  { root_id: rootId, root_name: rootName }: { root_id: string | null; root_name: string | null },
  mine: string,
  set?: string | null,
): LiveChild['owner'] {
  if (set) return { mine: false, what: `the ApplicationSet ${set}`, nobody: false };
  if (rootId === mine) return { mine: true };
  if (rootId) return { mine: false, what: `the root ${rootName}`, nobody: false };
  return {
    mine: false,
    what: 'nobody: somebody applied it directly, and differently',
    nobody: true,
  };
}

function liveApplication(one: LiveApplication, rootId: string): LiveChild {
  // A root is nobody's child but may say itself what it should be.
  const owner =
    one.id === rootId && !one.set_name ? { mine: true as const } : ownerOf(one, rootId, one.set_name);
  const error = one.conditions.find((condition) => ERRORS.has(condition.type));
  return {
    kind: 'Application',
    namespace: one.namespace,
    name: one.name,
    project: one.project,
    hash: one.hash,
    owner,
    sync: error ? 'Unknown' : one.sync,
    health: one.health,
    message: error ? `${error.type}: ${error.message}` : (one.message ?? ''),
    busy: one.busy,
    leaving: one.leaving,
    held: one.held,
    tombstoned: one.tombstoned,
  };
}

/** Argo CD's health check of sets, and beyond it that the Applications of the set are in sync and healthy. */
function liveSet(one: LiveSet, rootId: string): LiveChild {
  const status = (type: string) => one.conditions.find((condition) => condition.type === type);
  const error = status('ErrorOccurred');
  const upToDate = status('ResourcesUpToDate')?.status === 'True';
  const failed = error?.status === 'True';
  const degraded = Object.keys(one.healths).some((state) => state.endsWith(' Degraded'));
  const health =
    failed || degraded ? 'Degraded' : !upToDate || one.ready < one.total ? 'Progressing' : 'Healthy';
  const message = failed
    ? error.message
    : one.ready < one.total
      ? `${one.ready} of ${one.total} Applications are synced and healthy`
      : '';
  return {
    kind: 'ApplicationSet',
    namespace: one.namespace,
    name: one.name,
    project: one.project,
    hash: one.hash,
    owner: ownerOf(one, rootId),
    sync: upToDate ? 'Synced' : 'OutOfSync',
    health,
    message,
    busy: one.busy,
    leaving: one.deleting,
    held: one.deleting && one.held > 0 ? `${one.held} removals of the set wait for an approval` : null,
    tombstoned: false,
  };
}

function ownedOf(row: ChildRow): OwnedChild {
  return {
    kind: row.kind,
    namespace: row.namespace,
    name: row.name,
    appliedHash: row.applied_hash,
    wave: row.wave,
    options: row.options,
    leavingAt: row.leaving_at,
    heldReason: row.held_reason,
    detached: row.detached,
    gone: row.gone_at !== null,
  };
}

function policyOf({ spec }: Application): RootFacts['policy'] {
  const policy = spec.syncPolicy;
  const automated = policy?.automated != null && policy.automated.enabled !== false;
  return {
    automated,
    prune: automated && policy?.automated?.prune === true,
    selfHeal: automated && policy?.automated?.selfHeal === true,
    options: policy?.syncOptions ?? [],
  };
}
