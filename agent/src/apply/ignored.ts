import {
  type KubeObject,
  ignoredPointers,
  isRecord,
  keyOf,
  keyString,
  parsePointer,
  removeAt,
} from '@muster/kube';
import type { ApiType } from '../kube/discovery.ts';
import type { Application } from './application.ts';
import { type Cluster, readLive } from './cluster.ts';

/**
 * The manifest as it is sent. With RespectIgnoreDifferences=true, fields that ignoreDifferences names are sent as
 * they are in the cluster: left out, they would be removed where Muster had applied them before.
 */
export async function forApply(
  cluster: Cluster,
  app: Application,
  object: KubeObject,
  type: ApiType,
  signal: AbortSignal,
): Promise<KubeObject> {
  if (app.option('RespectIgnoreDifferences') !== 'true') return object;
  const pointers = ignoredPointers(app.assignment.ignoreDifferences, object);
  if (pointers.length === 0) return object;
  const impersonate = app.assignment.impersonate || undefined;
  const live = await readLive(cluster, type, keyString(keyOf(object)), signal, impersonate);
  return live ? keepLive(object, live, pointers) : object;
}

/** The object with the fields at these pointers as they are in `live`. */
export function keepLive(object: KubeObject, live: KubeObject, pointers: readonly string[]): KubeObject {
  return pointers.reduce<KubeObject>((result, pointer) => {
    const path = parsePointer(pointer) ?? [];
    const value = valueAt(live, path);
    return (value === undefined ? removeAt(result, path) : setAt(result, path, value)) as KubeObject;
  }, object);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)];
    return isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }, value);
}

/** A copy with a value at a path; unchanged where the way to it does not exist. */
function setAt(target: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(target)) {
    const index = Number(key);
    return index in target ? target.with(index, setAt(target[index], rest, value)) : target;
  }
  if (!isRecord(target)) return target;
  if (rest.length > 0 && !Object.hasOwn(target, key)) return target;
  return { ...target, [key]: setAt(target[key], rest, value) };
}
