import {
  APPLICATION_LABEL,
  type KubeObject,
  applicationLabel,
  keyOf,
  keyString,
  ownerOf,
} from '@muster/kube';
import type { ApiType } from '../kube/discovery.ts';
import { KubeError } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import { kindOf } from '../observe/live-index.ts';
import type { Application } from './application.ts';
import { type Cluster, PARALLEL, readLive } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import { requireObject } from './power.ts';

/** An object that still is the Application's, with its type. */
export interface Owned {
  key: string;
  object: KubeObject;
  type: ApiType;
}

/** What the index and the record say is the Application's, read anew and checked. */
export async function ownedObjects(
  cluster: Cluster,
  app: Application,
  signal: AbortSignal,
): Promise<Owned[]> {
  const kinds = new Set([...app.inventory.keys(), ...(app.desired?.keys() ?? [])].map(kindOf));
  for (const kind of app.hookKinds) kinds.add(kind);
  const types = new Map<string, ApiType>();
  for (const name of kinds) {
    const [group, kind] = name.split('/') as [string, string];
    const type = await cluster.discovery.resolveKind(group, kind);
    // A kind that is no longer served has no objects.
    if (!type) continue;
    types.set(name, type);
    await cluster.index.ready(type, signal);
  }
  const keys = new Set(app.inventory.keys());
  // A record that was lost leaves only the labels to go by.
  if (keys.size === 0) for (const key of await labelled(cluster, app, signal)) keys.add(key);
  for (const { key } of cluster.index.ownedBy(app.key)) keys.add(key);
  const owned: Owned[] = [];
  await eachOf([...keys], PARALLEL, async (key) => {
    const [group, kind] = key.split('/') as [string, string];
    const type = types.get(kindOf(key)) ?? (await cluster.discovery.resolveKind(group, kind));
    const object =
      type && (await readLive(cluster, type, key, signal, app.assignment.impersonate || undefined));
    if (!object || !type) return;
    const owner = ownerOf(object);
    if (owner && `${owner.namespace}/${owner.name}` === app.key) owned.push({ key, object, type });
  });
  // Nothing is removed half: what the agent may not touch keeps all of it.
  for (const { object, type } of owned)
    requireObject(cluster.power, keyOf(object), type.namespaced ? 'namespaced' : 'cluster');
  return owned;
}

/** Keys of all that carries the Application's label, of any kind. Kinds that may not be listed hold nothing of ours. */
async function labelled(cluster: Cluster, app: Application, signal: AbortSignal): Promise<string[]> {
  const { applicationNamespace: namespace, applicationName: name } = app.assignment;
  const labelSelector = `${APPLICATION_LABEL}=${applicationLabel({ namespace, name })}`;
  const keys: string[] = [];
  await eachOf(await cluster.discovery.removable(), PARALLEL / 2, async (type) => {
    const limited = cluster.namespaces.length > 0;
    if (limited && !type.namespaced) return;
    for (const scope of limited ? cluster.namespaces : ['']) {
      const query = { labelSelector };
      // Looking is the agent's own: what an account may not list is there all the same.
      const options = { query, signal };
      const list = await cluster.client
        .call<{ items: KubeObject[] }>(pathOf(type, scope || undefined), options)
        .catch((thrown: unknown) => {
          if (thrown instanceof KubeError && !thrown.transient) return { items: [] };
          throw thrown;
        });
      const { group, version, kind } = type;
      for (const { metadata } of list.items) {
        keys.push(keyString({ ...keyOf({ apiVersion: version, kind, metadata }), group, kind }));
      }
    }
  });
  return keys;
}
