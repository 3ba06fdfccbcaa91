import { MusterError } from '@muster/base';
import {
  type FieldPath,
  type IgnoreRule,
  type KubeObject,
  hasIgnored,
  ignoredIn,
  keyOf,
  keyString,
  removeAt,
  setAt,
  valueAt,
} from '@muster/kube';
import type { ApiType } from '../kube/discovery.ts';
import type { Application } from './application.ts';
import { type Cluster, readLive } from './cluster.ts';

/** The rules of the assignment, as the pure code takes them. */
export function rulesOf(app: Application): IgnoreRule[] {
  return app.assignment.ignoreDifferences;
}

/**
 * The manifest as it is sent. With RespectIgnoreDifferences=true, fields that are ignored are sent as they are in the
 * cluster: left out, they would be removed where Muster had applied them before.
 */
export async function forApply(
  cluster: Cluster,
  app: Application,
  object: KubeObject,
  type: ApiType,
  signal: AbortSignal,
): Promise<KubeObject> {
  if (app.option('RespectIgnoreDifferences') !== 'true') return object;
  const rules = rulesOf(app);
  if (!hasIgnored(rules, object)) return object;
  const impersonate = app.assignment.impersonate || undefined;
  const live = await readLive(cluster, type, keyString(keyOf(object)), signal, impersonate);
  if (!live) return object;
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
  return keepLive(object, live, [...wanted.paths, ...there.paths]);
}

/** The object with the fields at these paths as they are in `live`. */
export function keepLive(object: KubeObject, live: KubeObject, paths: readonly FieldPath[]): KubeObject {
  return paths.reduce<KubeObject>((result, path) => {
    const value = valueAt(live, path);
    return (value === undefined ? removeAt(result, path) : setAt(result, path, value)) as KubeObject;
  }, object);
}
