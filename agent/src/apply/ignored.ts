import { MusterError } from '@muster/base';
import {
  type FieldPath,
  type IgnoreRule,
  KEPT_AS_LIVE,
  type KubeObject,
  hasIgnored,
  ignoredIn,
  keptPaths,
  keyOf,
  keyString,
  removeAt,
  setAt,
  valueAt,
} from '@muster/kube';
import type { ApiType } from '../kube/discovery.ts';
import type { Application } from './application.ts';
import { type Cluster, readLive } from './cluster.ts';

/** The rules of the assignment, and those that always hold. */
export function rulesOf(app: Application): IgnoreRule[] {
  return [...KEPT_AS_LIVE, ...app.assignment.ignoreDifferences];
}

/**
 * The manifest as it is sent. Fields that are kept, and with RespectIgnoreDifferences=true or of what was adopted from
 * another tool all that are ignored, are sent as they are in the cluster: left out, they would be removed where Muster
 * had applied them before.
 */
export async function forApply(
  cluster: Cluster,
  app: Application,
  object: KubeObject,
  type: ApiType,
  signal: AbortSignal,
): Promise<KubeObject> {
  const kept = keptPaths(object);
  const rules = app.assignment.ignoreDifferences;
  const isRespected = respectsIgnored(cluster, app, object) && hasIgnored(rules, object);
  if (kept.length === 0 && !isRespected) return object;
  const impersonate = app.assignment.impersonate || undefined;
  const live = await readLive(cluster, type, keyString(keyOf(object)), signal, impersonate);
  if (!live) return object;
  if (!isRespected) return keepLive(object, live, kept);
  const around = { live, jq: cluster.jq, signal };
  const wanted = await ignoredIn(object, rules, around);
  const there = await ignoredIn(live, rules, around);
  const problems = [...wanted.problems, ...there.problems];
  // Going on would overwrite what somebody asked to be respected.
  if (problems.length > 0)
    throw new MusterError('invalid', problems[0]!, {
      where: 'ignoreDifferences',
      hint: 'RespectIgnoreDifferences=true applies nothing that it cannot respect',
    });
  return keepLive(object, live, [...kept, ...wanted.paths, ...there.paths]);
}

function respectsIgnored(cluster: Cluster, app: Application, object: KubeObject): boolean {
  if (app.option('RespectIgnoreDifferences') === 'true' || app.assignment.adopt !== '') return true;
  return cluster.index.get(keyString(keyOf(object)))?.adopted ?? false;
}

/** The object with the fields at these paths as they are in `live`. */
export function keepLive(object: KubeObject, live: KubeObject, paths: readonly FieldPath[]): KubeObject {
  return paths.reduce<KubeObject>((result, path) => {
    const value = valueAt(live, path);
    return (value === undefined ? removeAt(result, path) : setAt(result, path, value)) as KubeObject;
  }, object);
}
