import { type Context, textsAt } from '../context.ts';
import { dict, MapList, normalizeName, type Params, StringMap } from '../params.ts';
import type { ClusterFacts } from '../ports.ts';
import { clusterRules, compileSelector, isEmptySelector } from '../selector.ts';
import type { ClustersGenerator } from '../types.ts';
import { paramsError } from '../errors.ts';
import { addValues } from './values.ts';

export const LOCAL_SERVER = 'https://kubernetes.default.svc';
export const LOCAL_NAME = 'in-cluster';
const TYPE_LABEL = 'argocd.argoproj.io/secret-type';

/** Annotations that are the reference's own bookkeeping. */
const NO_PARAMETERS = new Set([
  'argocd.argoproj.io/refresh',
  'argocd.argoproj.io/refresh-timestamp',
  'argocd.argoproj.io/hydrate',
  'argocd.argoproj.io/hydrate-timestamp',
  'argocd.argoproj.io/tracking-id',
  'argocd.argoproj.io/installation-id',
  'kubectl.kubernetes.io/last-applied-configuration',
]);

/** One set per selected cluster, the implicit local cluster last; with flatList one set for all of them. */
export async function clusterParameters(
  generator: ClustersGenerator,
  context: Context,
  where: string,
): Promise<Params[]> {
  const { goTemplate } = context.language;
  const selected = select(generator, context, where);
  const sets = selected.map((cluster) => clusterSet(cluster, goTemplate));
  const local =
    isEmptySelector(generator.selector) && !selected.some(({ server }) => server === LOCAL_SERVER);
  if (local && context.implicitLocalCluster)
    sets.push(
      Object.assign(dict(), {
        name: LOCAL_NAME,
        nameNormalized: LOCAL_NAME,
        server: LOCAL_SERVER,
        project: '',
      }),
    );
  await addValues(generator.values, sets, context, `${where}.values`);
  if (!generator.flatList) {
    selected.forEach(({ name }, i) => context.origins.set(sets[i]!, name));
    return sets;
  }
  return [Object.assign(dict(), { clusters: new MapList(sets) })];
}

function select(generator: ClustersGenerator, context: Context, where: string): ClusterFacts[] {
  const { selector } = generator;
  textsAt(selector?.matchLabels, `${where}.selector.matchLabels`);
  let matches: ReturnType<typeof compileSelector>;
  try {
    matches = compileSelector(selector, clusterRules);
  } catch (error) {
    throw paramsError(
      `error getting cluster secrets: error converting label selector: ${(error as Error).message}`,
      `${where}.selector`,
    );
  }
  // By name, as the reference keeps them: of two clusters with one name the later counts.
  const byName = new Map<string, ClusterFacts>();
  for (const cluster of context.clusters) if (matches(labelsOf(cluster))) byName.set(cluster.name, cluster);
  return [...byName.values()];
}

/** A cluster is a Secret to the reference, and the label that makes it one can be selected and shows. */
function labelsOf(cluster: ClusterFacts): Record<string, string> {
  return { [TYPE_LABEL]: 'cluster', ...cluster.labels };
}

function clusterSet(cluster: ClusterFacts, goTemplate: boolean): Params {
  const out = dict();
  out['name'] = cluster.name;
  out['nameNormalized'] = normalizeName(cluster.name);
  out['server'] = cluster.server;
  out['project'] = cluster.project ?? '';
  const labels = labelsOf(cluster);
  const annotations = dict<string>();
  for (const key of Object.keys(cluster.annotations ?? {}))
    if (!NO_PARAMETERS.has(key)) annotations[key] = cluster.annotations![key]!;
  if (goTemplate) {
    const metadata = dict();
    if (Object.keys(cluster.annotations ?? {}).length > 0)
      metadata['annotations'] = new StringMap(annotations);
    metadata['labels'] = new StringMap(labels);
    out['metadata'] = metadata;
  } else {
    for (const key of Object.keys(annotations)) out[`metadata.annotations.${key}`] = annotations[key];
    for (const key of Object.keys(labels)) out[`metadata.labels.${key}`] = labels[key];
  }
  return out;
}
