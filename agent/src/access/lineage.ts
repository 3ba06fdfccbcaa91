import { MusterError } from '@muster/base';
import {
  type KubeObject,
  claimOf,
  describeKey,
  impliedOwners,
  isRecord,
  keyOf,
  keyString,
  ownerOf,
  parseApiVersion,
} from '@muster/kube';
import type { ObjectReference } from '@muster/proto/records';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import { namespaceAllowed } from '../apply/limits.ts';
import { excludesKind, mayLook } from '../apply/power.ts';
import type { ApiType } from '../kube/discovery.ts';
import { pathOf } from '../kube/objects.ts';

/** An object that belongs to an Application, as it is in the cluster. */
export interface Belonging {
  object: KubeObject;
  type: ApiType;
  key: string;
  /** Applied by Muster: not merely owned by what was. */
  managed: boolean;
}

/** Owners of owners that are followed: a Pod of a Job of a CronJob of an operator's resource is four. */
const MAX_DEPTH = 8;

/**
 * Reads the object that a reference names, and sees to it that it is the Application's: applied for it, or owned, however
 * far, by what was. Undefined when there is no such object.
 * @throws MusterError forbidden for what belongs to somebody else, conflict when the UID is another one, KubeError.
 */
export async function findBelonging(
  cluster: Cluster,
  app: Application,
  reference: ObjectReference,
  signal: AbortSignal,
): Promise<Belonging | undefined> {
  const { group, kind, namespace, name, uid } = reference;
  const type = await cluster.discovery.resolveKind(group, kind);
  if (!mayLook(cluster.power, type?.namespaced ? namespace : '') || excludesKind(cluster.power, reference)) {
    throw new MusterError(
      'forbidden',
      `${describeKey(reference)} is outside of what this agent is limited to`,
    );
  }
  const { project } = app.assignment;
  // An object of the whole cluster may own others anywhere; the project says how far that goes.
  if (type?.namespaced && project && !namespaceAllowed(project, namespace)) {
    throw new MusterError('forbidden', `project ${project.name} does not allow namespace ${namespace}`);
  }
  if (!type) {
    throw new MusterError('not-found', `this cluster serves no ${group ? `${kind}.${group}` : kind}`);
  }
  const impersonate = app.assignment.impersonate || undefined;
  const read = (of: ApiType, at: string, named: string) =>
    cluster.client.find<KubeObject>(pathOf(of, at, named), { signal, impersonate });
  const object = await read(type, namespace, name);
  if (!object) return undefined;
  if (uid && uid !== object.metadata.uid) {
    throw new MusterError('conflict', `${describeKey(reference)} is another object by now`, {
      hint: 'look at the tree again',
    });
  }
  const key = keyString(keyOf(object));
  if (isManaged(app, object)) return { object, type, key, managed: true };
  if (await belongs(cluster, app, object, read, MAX_DEPTH)) return { object, type, key, managed: false };
  throw new MusterError(
    'forbidden',
    `${describeKey(keyOf(object))} does not belong to the Application ${app.key}`,
    {
      hint: '`muster app tree` shows what does',
    },
  );
}

type Read = (type: ApiType, namespace: string, name: string) => Promise<KubeObject | undefined>;

async function belongs(
  cluster: Cluster,
  app: Application,
  object: KubeObject,
  read: Read,
  depth: number,
): Promise<boolean> {
  if (isManaged(app, object)) return true;
  if (depth === 0) return false;
  const { namespace = '' } = object.metadata;
  for (const { apiVersion, kind, name, uid } of ownersOf(object)) {
    const { group } = parseApiVersion(apiVersion);
    const type = await cluster.discovery.resolveKind(group, kind);
    const owner = type && (await read(type, namespace, name));
    // An owner of the same name that came later owns nothing of the one before.
    if (owner && owner.metadata.uid === uid && (await belongs(cluster, app, owner, read, depth - 1)))
      return true;
  }
  for (const implied of impliedOwners(object)) {
    const [group = '', kind = '', at = '', name = ''] = implied.split('/');
    const type = await cluster.discovery.resolveKind(group, kind);
    const owner = type && (await read(type, at, name));
    if (
      owner &&
      claimOf(object.metadata.name ?? '', owner) &&
      (await belongs(cluster, app, owner, read, depth - 1))
    )
      return true;
  }
  return false;
}

/** Carries the Application's mark, or is what it applied before marks were there to see. */
export function isManaged(app: Application, object: KubeObject): boolean {
  const owner = ownerOf(object);
  if (owner) return `${owner.namespace}/${owner.name}` === app.key;
  const entry = app.inventory.get(keyString(keyOf(object)));
  return entry !== undefined && entry.uid !== '' && entry.uid === object.metadata.uid;
}

function ownersOf(object: KubeObject): { apiVersion: string; kind: string; name: string; uid: string }[] {
  const { ownerReferences } = object.metadata;
  if (!Array.isArray(ownerReferences)) return [];
  return ownerReferences.filter(isRecord).map(({ apiVersion, kind, name, uid }) => ({
    apiVersion: String(apiVersion),
    kind: String(kind),
    name: String(name),
    uid: String(uid),
  }));
}
