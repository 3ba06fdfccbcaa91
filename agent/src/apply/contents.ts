import { type KubeObject, definedType, mayHoldData } from '@muster/kube';
import type { ApiType } from '../kube/discovery.ts';
import { KubeError } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import type { Application } from './application.ts';
import { type Cluster, PARALLEL } from './cluster.ts';
import { eachOf } from './concurrency.ts';

/** Objects of one kind that are looked at: enough to tell that something is there besides what goes. */
const LOOKED_AT = 200;

/**
 * What would go together with a Namespace or a CustomResourceDefinition: names only, some of each kind. Empty for other
 * kinds. A kind that may not be listed counts for nothing. Throws KubeError.
 */
export async function contentsOf(
  cluster: Cluster,
  app: Application,
  object: KubeObject,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const list = (type: ApiType, namespace?: string) => listSome(cluster, app, type, namespace, signal);
  const what = mayHoldData(object);
  if (what === 'definition') {
    const defined = definedType(object);
    const type = defined && (await cluster.discovery.resolveKind(defined.group, defined.kind));
    return type ? list(type) : [];
  }
  if (what !== 'namespace') return [];
  const found: KubeObject[] = [];
  const types = (await cluster.discovery.removable()).filter(({ namespaced }) => namespaced);
  await eachOf(types, PARALLEL / 2, async (type) => {
    found.push(...(await list(type, object.metadata.name)));
  });
  return found;
}

async function listSome(
  cluster: Cluster,
  app: Application,
  type: ApiType,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  // As the agent itself: an account that may delete and not list must not make a namespace look empty.
  const options = { query: { limit: LOOKED_AT }, signal };
  try {
    const { items } = await cluster.client.call<{ items: KubeObject[] }>(pathOf(type, namespace), options);
    const { group, version, kind } = type;
    const apiVersion = group ? `${group}/${version}` : version;
    return items.map(({ metadata: { name, namespace: of } }) => ({
      apiVersion,
      kind,
      metadata: { name, namespace: of },
    }));
  } catch (thrown) {
    if (thrown instanceof KubeError && !thrown.transient) return [];
    throw thrown;
  }
}
