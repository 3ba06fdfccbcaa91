import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import { type KubeObject, definedType, parseApiVersion } from '@muster/kube';
import { KubeError } from '../kube/errors.ts';
import type { Cluster } from './cluster.ts';

const WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const NAMES_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

interface Definition extends KubeObject {
  spec: { versions?: { name: string; served?: boolean }[] };
  status?: { conditions?: { type: string; status: string; message?: string }[] };
}

/** A kind in one version, as manifests name it. */
export interface VersionedKind {
  apiVersion: string;
  kind: string;
}

/** Waits until CustomResourceDefinitions are established and all their kinds are served. Throws what keeps them. */
export async function waitForDefinitions(
  cluster: Cluster,
  definitions: KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  const deadline = cluster.now() + WITHIN_MS;
  for (const written of definitions) {
    const path = `${DEFINITIONS}/${written.metadata.name}`;
    for (;;) {
      const live = await cluster.client.call<Definition>(path, { signal });
      const taken = namesTaken(live);
      if (taken !== undefined) {
        throw new MusterError('conflict', `the names of ${written.metadata.name} are taken: ${taken}`);
      }
      if (conditionOf(live, 'Established')?.status === 'True' && (await served(cluster, live))) break;
      if (cluster.now() > deadline) {
        throw new MusterError('unavailable', `${written.metadata.name} was not established within a minute`);
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  }
}

/**
 * Asks the API server anew which of these kinds it serves, and waits for those whose CustomResourceDefinition is in the
 * cluster already: whoever made it did so just before. Answers whether any is served by now.
 */
export async function servedByNow(
  cluster: Cluster,
  kinds: readonly VersionedKind[],
  signal: AbortSignal,
): Promise<boolean> {
  await cluster.discovery.refresh();
  const isServed = async ({ apiVersion, kind }: VersionedKind) =>
    (await cluster.discovery.resolve(apiVersion, kind)) !== undefined;
  const missing: VersionedKind[] = [];
  for (const each of kinds) if (!(await isServed(each))) missing.push(each);
  const coming = await definitionsOf(cluster, missing, signal);
  try {
    if (coming.length > 0) await waitForDefinitions(cluster, coming, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    // What keeps the definition keeps the sync: it says that the kind is unknown, and is tried again.
    const error = MusterError.from(thrown).message;
    cluster.log.info({ error }, 'a definition that is in the cluster is not served');
  }
  for (const each of kinds) if (await isServed(each)) return true;
  return false;
}

/** The kind is served by one API server of several, and not yet by the one that was asked: waits for that one too. */
export async function onceServed<T>(
  cluster: Cluster,
  { apiVersion, kind }: VersionedKind,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  const deadline = cluster.now() + WITHIN_MS;
  for (let pause = LOOK_EVERY_MS; ; pause = Math.min(pause * 2, 2_000)) {
    try {
      return await act();
    } catch (thrown) {
      if (!isUnserved(thrown) || cluster.now() > deadline) throw thrown;
      await cluster.discovery.refresh();
      if (!(await cluster.discovery.resolve(apiVersion, kind))) throw thrown;
      await sleep(pause, undefined, { signal });
    }
  }
}

/** The answer of an API server to a path that it does not serve; of an object that is not there it names the object. */
function isUnserved(thrown: unknown): boolean {
  if (!(thrown instanceof KubeError) || !thrown.notFound) return false;
  return thrown.reason === '' || thrown.message === 'the server could not find the requested resource';
}

/** Definitions in the cluster of kinds that are not served, and are to be; none where the agent may not look. */
async function definitionsOf(
  cluster: Cluster,
  kinds: readonly VersionedKind[],
  signal: AbortSignal,
): Promise<Definition[]> {
  const groups = new Set(kinds.map(({ apiVersion }) => parseApiVersion(apiVersion).group));
  if (groups.size === 0) return [];
  try {
    const { items } = await cluster.client.call<{ items: KubeObject[] | null }>(DEFINITIONS, {
      accept: NAMES_ONLY,
      signal,
    });
    // An empty list is null.
    const names = (items ?? []).flatMap(({ metadata: { name = '' } }) =>
      groups.has(name.slice(name.indexOf('.') + 1)) ? [name] : [],
    );
    const found = await Promise.all(
      names.map((name) => cluster.client.find<Definition>(`${DEFINITIONS}/${name}`, { signal })),
    );
    return found.filter(
      (definition) => definition !== undefined && kinds.some((each) => willServe(definition, each)),
    ) as Definition[];
  } catch (thrown) {
    if (thrown instanceof KubeError && !thrown.transient) return [];
    throw thrown;
  }
}

function willServe(definition: Definition, { apiVersion, kind }: VersionedKind): boolean {
  const type = definedType(definition);
  const { group, version } = parseApiVersion(apiVersion);
  if (type?.group !== group || type.kind !== kind || definition.metadata.deletionTimestamp) return false;
  return namesTaken(definition) === undefined && servedVersions(definition).includes(version);
}

/** Established comes a moment before the discovery document shows the kind, in each of its versions. */
async function served(cluster: Cluster, live: Definition): Promise<boolean> {
  const type = definedType(live);
  if (!type) return true;
  await cluster.discovery.refresh();
  for (const version of servedVersions(live)) {
    if (!(await cluster.discovery.resolve(`${type.group}/${version}`, type.kind))) return false;
  }
  return true;
}

const servedVersions = ({ spec }: Definition) =>
  (spec.versions ?? []).filter(({ served: is }) => is !== false).map(({ name }) => name);

const conditionOf = ({ status }: Definition, type: string) =>
  status?.conditions?.find((each) => each.type === type);

/** Who has the names of a definition already, in the API server's words; undefined: nobody. */
function namesTaken(live: Definition): string | undefined {
  const condition = conditionOf(live, 'NamesAccepted');
  return condition?.status === 'False' ? (condition.message ?? '') : undefined;
}
