import type { Application } from '@muster/appset';
import { canonicalJson, sha256 } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { Kysely } from 'kysely';
import type { Owner } from '../releases/owner.ts';
import { SourcesService } from '../sources/sources.service.ts';
import { Sealer } from '../store/sealer.ts';
import type { Schema, Trx } from '../store/schema.ts';
import { storedManifest } from './application-manifest.ts';
import { type ApplicationRow, type ApplicationSpecRow, ApplicationsRepository, type RenderedRow } from './applications.repository.ts';

/** An Application as stored, with its manifest opened. */
export interface ApplicationRecord {
  row: ApplicationRow;
  manifest: Application;
}

/** Applications as rows: manifests are sealed here and opened here. */
@Injectable()
export class ApplicationRecords {
  constructor(
    @Inject(ApplicationsRepository) private readonly repository: ApplicationsRepository,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(SourcesService) private readonly sources: SourcesService,
  ) {}

  async ofOwner(db: Kysely<Schema>, owner: Owner): Promise<ApplicationRecord[]> {
    return (await this.repository.ofOwner(db, owner)).map((row) => this.open(row));
  }

  /** Row versions of an owner's Applications, by id. */
  versions(db: Kysely<Schema>, owner: Owner): Promise<Map<string, bigint>> {
    return this.repository.versions(db, owner);
  }

  open(row: ApplicationRow): ApplicationRecord {
    const plain = this.sealer.open(row.manifest_sealed, manifestContext(row));
    return { row, manifest: JSON.parse(plain.toString('utf8')) as Application };
  }

  /** Seals manifests and writes them with the columns that are read from them; follows their sources. Answers the ids. */
  async write(trx: Trx, setId: string | null, applications: readonly { manifest: Application; hash: string }[]): Promise<string[]> {
    const repositories = await this.sources.ensure(trx, applications.map(({ manifest }) => sourceOf(manifest)?.repoURL ?? ''));
    const rows = applications.map(({ manifest, hash }) => this.#row(manifest, hash, setId, repositories));
    const ids = await this.repository.write(trx, rows);
    await this.sources.follow(
      trx,
      rows.flatMap((row) => (row.repositoryId && row.revision ? [{ repositoryId: row.repositoryId, revision: row.revision }] : [])),
    );
    return ids;
  }

  #row(manifest: Application, hash: string, setId: string | null, repositories: Map<string, string>): ApplicationSpecRow {
    const { metadata, spec } = manifest;
    const identity = { namespace: metadata.namespace!, name: metadata.name };
    const source = sourceOf(manifest);
    return {
      ...identity,
      setId,
      project: spec.project || 'default',
      sealed: this.sealer.seal(Buffer.from(JSON.stringify(manifest)), manifestContext(identity)),
      hash,
      labels: metadata.labels ?? {},
      destinationNamespace: spec.destination?.namespace ?? '',
      destination: spec.destination?.name || spec.destination?.server || '',
      repositoryId: repositories.get(source?.repoURL ?? '') ?? null,
      revision: source ? source.targetRevision || 'HEAD' : null,
      path: source?.path ?? null,
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

/** The one source of an Application; undefined where it names none. */
export function sourceOf(manifest: Application) {
  return manifest.spec?.source ?? manifest.spec?.sources?.[0];
}

function manifestContext(row: { namespace: string; name: string }): string {
  return `applications/manifest/${row.namespace}/${row.name}`;
}
