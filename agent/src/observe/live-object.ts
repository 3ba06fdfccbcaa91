import {
  ANNOTATION,
  type Health,
  annotationOf,
  assessHealth,
  type Foreign,
  foreignOf,
  hooksOf,
  type KubeObject,
  forDisplay,
  keyOf,
  keyString,
  managedFieldsOf,
  ownerOf,
  trackersOf,
} from '@muster/kube';
import { canonicalJson, sha256 } from '@muster/base';
import { FIELD_MANAGER } from '../kube/client.ts';

/** What is kept of an object in the cluster: enough to tell a change, not the object. */
export interface LiveObject {
  /** `group/Kind/namespace/name`. */
  key: string;
  version: string;
  uid: string;
  resourceVersion: string;
  /** `namespace/name` of the Application that it belongs to; '' when it names none, or is a copy. */
  owner: string;
  /** Of everything but status and bookkeeping: changes only when someone writes what may matter. */
  hash: string;
  /** '' for kinds without a health check. */
  health: string;
  healthMessage: string;
  deleting: boolean;
  /** Made by a sync and no part of what is compared. */
  hook: boolean;
  /** The operation that made a hook; else ''. */
  operation: string;
  writer: Writer | undefined;
  /** Another tool that tracks what is an Application's, by marks that it wrote. */
  sharedWith: Foreign | undefined;
  /** It was another tool's before. */
  adopted: boolean;
}

/** Who wrote last, Muster and status aside. */
export interface Writer {
  manager: string;
  /** 'Apply' or 'Update'. */
  operation: string;
  timeMs: number;
}

/** Written by the Deployment controller after each change of the template; says nothing about intent. */
const REVISION = 'deployment.kubernetes.io/revision';

/** Reads what is kept of an object. The object itself, with its managedFields, can be let go then. */
export function liveObject(object: KubeObject): LiveObject {
  const { metadata } = object;
  const owner = ownerOf(object);
  const health = healthOf(object);
  return {
    key: keyString(keyOf(object)),
    version: keyOf(object).version,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    owner: owner ? `${owner.namespace}/${owner.name}` : '',
    hash: liveHash(object),
    health: health?.status ?? '',
    healthMessage: health?.message ?? '',
    deleting: metadata.deletionTimestamp !== undefined,
    hook: hooksOf(object) !== null,
    operation: annotationOf(object, ANNOTATION.operation) ?? '',
    writer: newestWriter(object),
    sharedWith: owner && foreignOf(trackersOf(object)),
    adopted: annotationOf(object, ANNOTATION.adoptedFrom) !== undefined,
  };
}

/** A check that stumbles over an odd object must not end the watch that brought it. */
export function healthOf(object: KubeObject): Health | null {
  try {
    return assessHealth(object);
  } catch {
    return { status: 'Unknown', message: 'the health of this object could not be judged' };
  }
}

/** Hash of what people may compare. */
export function liveHash(object: KubeObject): string {
  return sha256(canonicalJson(comparable(object))).slice(0, 32);
}

/** The object without status and what servers and controllers keep for themselves. */
export function comparable(object: KubeObject): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds, ...metadata } = forDisplay(object).metadata;
  void [deletionTimestamp, deletionGracePeriodSeconds];
  const { [REVISION]: _revision, ...annotations } = metadata.annotations ?? {};
  return { ...forDisplay(object), metadata: { ...metadata, annotations } };
}

/** The newest entry of the managed fields that is not Muster's own and not of the status. */
export function newestWriter(object: KubeObject): Writer | undefined {
  let newest: Writer | undefined;
  for (const { manager, operation = '', subresource, time } of managedFieldsOf(object)) {
    if (!manager || manager === FIELD_MANAGER || subresource === 'status') continue;
    const timeMs = Date.parse(time ?? '') || 0;
    if (!newest || timeMs > newest.timeMs) newest = { manager, operation, timeMs };
  }
  return newest;
}

/** Whether something else has changed than a status that says the same, and bookkeeping. */
export function matters(before: LiveObject, after: LiveObject): boolean {
  // Made by `useChecks`: it is to be told anew.
  if (before.resourceVersion === '') return true;
  return (Object.keys(after) as (keyof LiveObject)[]).some((name) => {
    if (name === 'resourceVersion' || name === 'writer') return false;
    const [was, is] = [before[name], after[name]];
    return was !== is && (typeof is !== 'object' || JSON.stringify(was) !== JSON.stringify(is));
  });
}

/** Whether a resourceVersion is newer than another of the same collection. */
export function isNewer(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
