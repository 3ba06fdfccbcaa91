import type { Application } from '@muster/appset';
import { MusterError, canonicalJson, sha256 } from '@muster/base';
import { dependenciesOf } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import type { Owner } from '../releases/owner.ts';
import { DependencyCycles } from '../rollouts/dependencies/dependency-cycles.service.ts';
import { SourcesService } from '../sources/sources.service.ts';
import { Sealer } from '../store/sealer.ts';
import type { Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationChangesRepository, type ChangedApplication } from './application-changes.repository.ts';
import { storedManifest } from './application-manifest.ts';
import { addressOfSource, revisionOf, sourcesOf } from './application-sources.ts';
import {
  type ApplicationRow,
  type ApplicationSpecRow,
  ApplicationsRepository,
  type RenderedRow,
} from './applications.repository.ts';

export type { ChangedApplication, RenderedRow };

/** An Application as stored. Its manifest is opened by the first who looks at it: of ten thousand, few are looked at. */
export interface ApplicationRecord {
  readonly row: ApplicationRow;
  readonly manifest: Application;
}

/** An Application that was taken back, and what was assigned to it last. */
export interface Restored {
  id: string;
  project: string;
  previousSet: string | null;
  last:
    | {
        digest: string;
        bundleDigest: string | null;
        clusterId: string;
        commit: string | null;
        commits: string[] | null;
      }
    | undefined;
}

/** Applications as rows: manifests are sealed here and opened here. */
@Injectable()
export class ApplicationRecords {
  constructor(
    @Inject(ApplicationsRepository) private readonly repository: ApplicationsRepository,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(ApplicationChangesRepository) private readonly changes: ApplicationChangesRepository,
    @Inject(DependencyCycles) private readonly cycles: DependencyCycles,
  ) {}

  async ofOwner(db: Db, owner: Owner): Promise<ApplicationRecord[]> {
    return (await this.repository.ofOwner(db, owner)).map((row) => this.open(row));
  }

  /** Those of a set's Applications that have some names. */
  async inSet(
    db: Db,
    set: { id: string; namespace: string },
    names: ReadonlySet<string>,
  ): Promise<ApplicationRecord[]> {
    const keys = [...names].map((name) => ({ namespace: set.namespace, name }));
    const rows = await this.repository.byNames(db, keys);
    return rows.filter((row) => row.set_id === set.id).map((row) => this.open(row));
  }

  /** Where changes are read on from after a read that begins now, and the number of the transaction itself. */
  position(trx: Trx): Promise<{ at: string; own: string }> {
    return this.changes.position(trx);
  }

  /** The Applications of a set that may have changed since a position, but not by one transaction; and how many it has. */
  changedSince(trx: Trx, setId: string, position: string, except: string) {
    return this.changes.since(trx, setId, position, except);
  }

  /** All that own Applications. */
  owners(trx: Trx): Promise<Owner[]> {
    return this.repository.owners(trx);
  }

  /** Whose Applications follow revisions of a repository. */
  ownersFollowing(db: Db, repositoryId: string, revisions: readonly string[]): Promise<Owner[]> {
    return this.repository.ownersFollowing(db, repositoryId, revisions);
  }

  /** Whose Applications belong to a project. */
  ownersInProject(db: Db, project: string): Promise<Owner[]> {
    return this.repository.ownersInProject(db, project);
  }

  /** Row versions of an owner's Applications, by id. */
  versions(db: Db, owner: Owner): Promise<Map<string, bigint>> {
    return this.repository.versions(db, owner);
  }

  open(row: ApplicationRow): ApplicationRecord {
    let manifest: Application | undefined;
    const open = () => (manifest ??= this.#manifest(row));
    return {
      row,
      get manifest() {
        return open();
      },
    };
  }

  /** The manifest of an Application of which no more than this was read. */
  openManifest(row: { namespace: string; name: string; manifest_sealed: Buffer }): Application {
    return this.#manifest(row);
  }

  #manifest(row: { namespace: string; name: string; manifest_sealed: Buffer }): Application {
    const plain = this.sealer.open(row.manifest_sealed, manifestContext(row));
    return JSON.parse(plain.toString('utf8')) as Application;
  }

  /**
   * Seals manifests and writes them with the columns that are read from them; follows their sources. Answers the ids. Throws
   * `invalid` for what would wait for itself and belongs to no set: of sets their expansion says so.
   */
  async write(
    trx: Trx,
    setId: string | null,
    applications: readonly { manifest: Application; hash: string }[],
  ): Promise<string[]> {
    if (setId === null)
      await this.cycles.refuse(
        trx,
        applications.map(({ manifest }) => ({ manifest, set: null })),
      );
    const repositories = await this.sources.ensure(
      trx,
      applications.flatMap(({ manifest }) => sourcesOf(manifest).map(addressOfSource)),
    );
    const rows = applications.map(({ manifest, hash }) => this.#row(manifest, hash, setId, repositories));
    const ids = await this.repository.write(trx, rows);
    const followed = new Map(
      rows.flatMap(({ sources }) =>
        sources.flatMap(({ repositoryId, revision }) =>
          repositoryId ? [[`${repositoryId} ${revision}`, { repositoryId, revision }] as const] : [],
        ),
      ),
    );
    await this.sources.follow(trx, [...followed.values()]);
    // Whoever commits and applies at once expects that commit, also in a repository that is followed already.
    await this.sources.ask(trx, [...new Set([...followed.values()].map((one) => one.repositoryId))]);
    return ids;
  }

  #row(
    manifest: Application,
    hash: string,
    setId: string | null,
    repositories: Map<string, string>,
  ): ApplicationSpecRow {
    const { metadata, spec } = manifest;
    const identity = { namespace: metadata.namespace!, name: metadata.name };
    return {
      ...identity,
      setId,
      project: spec.project || 'default',
      sealed: this.sealer.seal(Buffer.from(JSON.stringify(manifest)), manifestContext(identity)),
      hash,
      labels: metadata.labels ?? {},
      destinationNamespace: spec.destination?.namespace ?? '',
      destination: spec.destination?.name || spec.destination?.server || '',
      sources: sourcesOf(manifest).map((source) => ({
        repositoryId: repositories.get(addressOfSource(source)) ?? null,
        revision: revisionOf(source),
      })),
      dependencies: dependenciesOf(metadata, identity.namespace),
    };
  }

  /** The repositories that an Application's sources are in. */
  repositoriesOf(db: Db, id: string): Promise<string[]> {
    return this.repository.repositoriesOf(db, id);
  }

  byNames(db: Db, names: readonly { namespace: string; name: string }[]): Promise<ApplicationRow[]> {
    return this.repository.byNames(db, names);
  }

  /** Marks Applications as leaving from `at` on. */
  leave(
    trx: Trx,
    rows: readonly {
      id: string;
      action: 'orphan' | 'uninstall';
      heldReason: string | null;
      counted: boolean;
    }[],
    at: Date,
  ): Promise<void> {
    return this.repository.leave(trx, rows, at);
  }

  stay(trx: Trx, ids: readonly string[]): Promise<void> {
    return this.repository.stay(trx, ids);
  }

  /** Takes Applications out of their set: they stay as they are, and belong to nobody. */
  async detach(trx: Trx, ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.repository.detach(trx, id);
  }

  approve(trx: Trx, setId: string): Promise<number> {
    return this.repository.approve(trx, setId);
  }

  /** Notes that the deletion of a leaving Application was approved by its annotation. */
  async approveDeletion(
    trx: Trx,
    row: ApplicationRow,
    { manifest, hash }: { manifest: Application; hash: string },
  ): Promise<void> {
    const sealed = this.sealer.seal(Buffer.from(JSON.stringify(manifest)), manifestContext(row));
    await this.repository.approveDeletion(trx, row.id, { sealed, hash });
  }

  /** Lets held removals of some Applications go on. */
  approveOnes(trx: Trx, ids: readonly string[]): Promise<void> {
    return this.repository.approveOnes(trx, ids);
  }

  /** The project of an Application that is there, or that left within a week. */
  projectOf(namespace: string, name: string): Promise<string | undefined> {
    return this.repository.projectOf(namespace, name);
  }

  /**
   * Takes an Application back: while it leaves, as it is; after it went, from what was kept of it. It belongs to no set
   * then, so that nothing makes it leave again. Throws `not-found`, `precondition` while its removal is under way.
   */
  async restore(trx: Trx, namespace: string, name: string): Promise<Restored> {
    const row = await this.repository.byName(trx, namespace, name);
    if (row?.tombstoned_at) {
      throw new MusterError('precondition', `the removal of ${namespace}/${name} is under way`, {
        hint: 'try again once it is gone: it is then made again',
      });
    }
    if (row) {
      if (!row.leaving_at) {
        throw new MusterError('precondition', `the Application ${namespace}/${name} is not leaving`);
      }
      await this.repository.detach(trx, row.id);
      const assigned = await this.repository.assignedDigest(trx, row.id);
      return {
        id: row.id,
        project: row.project,
        previousSet: row.set_id,
        last: assigned && { ...assigned, commit: row.commit, commits: row.commits },
      };
    }
    const departed = await this.repository.departed(trx, namespace, name);
    if (!departed)
      throw new MusterError('not-found', `no Application ${namespace}/${name} left in the last days`);
    const manifest = this.#manifest(departed);
    const [id] = await this.write(trx, null, [asStored(manifest, namespace)]);
    await this.repository.revive(trx, id!, departed.id);
    const {
      assignment_digest: digest,
      bundle_digest: bundleDigest,
      cluster_id: clusterId,
      commit,
      commits,
      project,
    } = departed;
    return {
      id: id!,
      project,
      previousSet: null,
      last: digest && clusterId ? { digest, bundleDigest, clusterId, commit, commits } : undefined,
    };
  }

  rendered(trx: Trx, rows: readonly RenderedRow[]): Promise<void> {
    return this.repository.rendered(trx, rows);
  }

  tombstoned(trx: Trx, ids: readonly string[]): Promise<void> {
    return this.repository.tombstoned(trx, ids);
  }
}

/** What is stored of a document, and its hash: equal hashes mean nothing changes. */
export function asStored(manifest: Application, namespace: string): { manifest: Application; hash: string } {
  const stored = storedManifest(manifest, namespace);
  return { manifest: stored, hash: sha256(canonicalJson(stored)) };
}

function manifestContext(row: { namespace: string; name: string }): string {
  return `applications/manifest/${row.namespace}/${row.name}`;
}
