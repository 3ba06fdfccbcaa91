/** What was rendered. */
import type { DefaultedTimestamp, Bigint, Json, DefaultedJson } from './columns.ts';

/** What a render read: a later commit that touched none of it need not be rendered. */
export interface RenderReads {
  files: Record<string, string>;
  dirs: Record<string, string>;
  absent: string[];
}

/** What templates asked for besides files; each is an input of the render then. */
export interface RenderAsked {
  /** Unix seconds. */
  clock?: number;
  /** `namespace/name` whose keyed seed was used. */
  random?: string;
  /** Hash of the cluster's version and APIs. */
  capabilities?: string;
  /** The destination's namespace, where it decides which of several sources an object comes from. */
  namespace?: string;
}

export interface BundlesTable {
  digest: string;
  plain_size: Bigint;
  stored_sealed: Buffer;
  stored_size: Bigint;
  object_count: number;
  created_at: DefaultedTimestamp;
  referenced_at: DefaultedTimestamp;
}

/** A bundle was combined from others. */
export interface BundlePartsTable {
  bundle_digest: string;
  part_digest: string;
}

export interface RendersTable {
  input_key: string;
  base_key: string;
  bundle_digest: string;
  reads: Json<RenderReads>;
  asked: DefaultedJson<RenderAsked>;
  notices: DefaultedJson<unknown[]>;
  created_at: DefaultedTimestamp;
}

/** The objects of a bundle that would be pruned where they are left out. */
export interface BundleInventoriesTable {
  bundle_digest: string;
  identities: string[];
}

export interface BundlesTables {
  bundles: BundlesTable;
  bundle_inventories: BundleInventoriesTable;
  bundle_parts: BundlePartsTable;
  renders: RendersTable;
}
