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

  /** What is stored of a document: no status, no fields that servers add. */
  seal(set: ApplicationSet, namespace: string): { sealed: Buffer; hash: string } {
    const { status: _status, ...rest } = set;
    const {
      managedFields: _m,
      resourceVersion: _r,
      uid: _u,
      creationTimestamp: _c,
      generation: _g,
      ...metadata
    } = rest.metadata;
    const stored = { ...rest, metadata: { ...metadata, namespace } };
    const plain = Buffer.from(JSON.stringify(stored));
    return {
      sealed: this.sealer.seal(plain, contextOf({ namespace, name: set.metadata.name })),
      hash: sha256(canonicalJson(stored)),
    };
  }
}

function contextOf(row: { namespace: string; name: string }): string {
  return `application_sets/manifest/${row.namespace}/${row.name}`;
}
