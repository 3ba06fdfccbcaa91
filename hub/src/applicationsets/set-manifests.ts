import type { ApplicationSet } from '@muster/appset';
import { canonicalJson, sha256 } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { Sealer } from '../store/sealer.ts';

/** Manifests of sets, sealed at rest. */
@Injectable()
export class SetManifests {
  constructor(@Inject(Sealer) private readonly sealer: Sealer) {}

  open(row: { namespace: string; name: string; manifest_sealed: Buffer }): ApplicationSet {
    return JSON.parse(
      this.sealer.open(row.manifest_sealed, contextOf(row)).toString('utf8'),
    ) as ApplicationSet;
  }

  /** What is stored of a document, sealed, and its hash. */
  seal(set: ApplicationSet, namespace: string): { sealed: Buffer; hash: string } {
    const { manifest, hash } = storedSet(set, namespace);
    const context = contextOf({ namespace, name: set.metadata.name });
    return { sealed: this.sealer.seal(Buffer.from(JSON.stringify(manifest)), context), hash };
  }
}

/** What is stored of a document: no status, no fields that servers add. Equal hashes mean nothing changes. */
export function storedSet(set: ApplicationSet, namespace: string): { manifest: object; hash: string } {
  const { status: _status, ...rest } = set;
  const {
    managedFields: _m,
    resourceVersion: _r,
    uid: _u,
    creationTimestamp: _c,
    generation: _g,
    ...metadata
  } = rest.metadata;
  const manifest = { ...rest, metadata: { ...metadata, namespace } };
  return { manifest, hash: sha256(canonicalJson(manifest)) };
}

function contextOf(row: { namespace: string; name: string }): string {
  return `application_sets/manifest/${row.namespace}/${row.name}`;
}
