import { type Context, listAt, mapAt, missingInput, textAt, textsAt, within } from '../context.ts';
import { isObject } from '../decode.ts';
import { paramsError } from '../errors.ts';
import { dict, goPrint, type Params, StringMap } from '../params.ts';
import type { ClusterFacts, DecisionResource } from '../ports.ts';
import { clusterRules, compileSelector, isEmptySelector, type Matcher } from '../selector.ts';
import type { ExternalGenerator, LabelSelector } from '../types.ts';
import { LOCAL_NAME, LOCAL_SERVER } from './clusters.ts';

interface Duck {
  apiVersion: string;
  resource: string;
  listKey: string;
  matchKey: string;
}

/**
 * One set per decision on a known cluster: its name and server, and every field of the decision as text. The ConfigMap
 * says what the resources are and where in their status the decisions stand; `values` are taken as they are written.
 */
export async function decisionParameters(
  generator: ExternalGenerator,
  context: Context,
  where: string,
): Promise<Params[]> {
  const { resources, signal } = context;
  if (!resources) throw missingInput('the ConfigMap and the resources that it speaks of', where);
  const place = `${where}.configMapRef`;
  const name = textAt(generator['configMapRef'], place);
  const data = await within(place, 'error reading configMapRef: ', () => resources.configMap(name, signal));
  if (!data) throw paramsError(`error reading configMapRef: configmaps "${name}" not found`, place);
  const duck = duckOf(data, place);
  const taken = takes(generator, where);
  const all = await within(where, 'failed to get dynamic resources: ', () =>
    resources.list(duck.apiVersion, duck.resource, signal),
  );
  const found = all.filter(taken);
  if (found.length === 0) throw paramsError('no clusterDecisionResources found', where);
  // As in the reference: a ConfigMap that does not say how to find the cluster decides nothing.
  if (duck.matchKey === '') return [];
  const clusters = clustersOf(context);
  const values = textsAt(generator.values, `${where}.values`);
  return found
    .flatMap((one) => decisionsOf(one, duck, where))
    .flatMap((decision) => {
      const cluster = clusters.get(goPrint(decision[duck.matchKey] ?? ''));
      return cluster ? [parameters(cluster, decision, values, context, where)] : [];
    });
}

function duckOf(data: Record<string, string>, where: string): Duck {
  const { apiVersion = '', kind = '', statusListKey, matchKey = '' } = data;
  if (kind === '' || apiVersion.indexOf('/') < 1)
    throw paramsError('there is a problem with the apiVersion, kind or resourceName provided', where);
  return { apiVersion, resource: kind, listKey: statusListKey || 'clusters', matchKey };
}

/** Either a name or a label selector that says something. */
function takes(generator: ExternalGenerator, where: string): (one: DecisionResource) => boolean {
  const name = textAt(generator['name'], `${where}.name`);
  const place = `${where}.labelSelector`;
  const given = mapAt(generator['labelSelector'], place) as LabelSelector;
  const labels = given.matchLabels ?? undefined;
  const expressions = given.matchExpressions ?? undefined;
  if ((name === '') === (labels === undefined && expressions === undefined))
    throw paramsError(
      'there is a problem with the definition of the ClusterDecisionResource generator',
      where,
    );
  if (name !== '') return ({ metadata }) => metadata.name === name;
  textsAt(labels, `${place}.matchLabels`);
  listAt(expressions, `${place}.matchExpressions`);
  if (isEmptySelector(given))
    throw paramsError('failed to get dynamic resources: the label selector says nothing', place);
  let matches: Matcher;
  try {
    matches = compileSelector(given, clusterRules);
  } catch (error) {
    throw paramsError(`failed to get dynamic resources: ${(error as Error).message}`, place);
  }
  return ({ metadata }) => matches(metadata.labels ?? {});
}

function clustersOf(context: Context): Map<string, { name: string; server: string }> {
  const known: Pick<ClusterFacts, 'name' | 'server'>[] = [...context.clusters];
  if (context.implicitLocalCluster && !known.some(({ server }) => server === LOCAL_SERVER))
    known.push({ name: LOCAL_NAME, server: LOCAL_SERVER });
  const byName = new Map<string, { name: string; server: string }>();
  for (const cluster of known) if (!byName.has(cluster.name)) byName.set(cluster.name, cluster);
  return byName;
}

/** A resource without a status has decided nothing yet; one whose status says it otherwise is an error. */
function decisionsOf({ metadata, status }: DecisionResource, { listKey }: Duck, where: string): Params[] {
  if (status === undefined || status === null) return [];
  const at = `${where} (${metadata.name})`;
  if (!isObject(status)) throw paramsError('its status is not a map', at);
  if (Object.keys(status).length === 0) return [];
  const list = status[listKey];
  if (!Array.isArray(list)) throw paramsError(`its status.${listKey} is not a list`, at);
  return list.map((decision) => {
    if (!isObject(decision)) throw paramsError(`its status.${listKey} holds something that is not a map`, at);
    return decision;
  });
}

function parameters(
  { name, server }: { name: string; server: string },
  decision: Params,
  values: Record<string, string>,
  { language }: Context,
  where: string,
): Params {
  const set: Params = Object.assign(dict(), { name, server });
  for (const key of Object.keys(decision)) set[key] = goPrint(decision[key]);
  const given = Object.keys(values);
  if (!language.goTemplate) for (const key of given) set[`values.${key}`] = values[key];
  else if (given.length > 0) {
    if (set['values'] !== undefined)
      throw paramsError('a decision with a field `values` leaves no room for these', `${where}.values`);
    set['values'] = new StringMap(Object.assign(dict<string>(), values));
  }
  return set;
}

/** The resource of a kind, as Kubernetes' tools guess it. */
export function pluralOf(kind: string): string {
  const one = kind.toLowerCase();
  if (one.endsWith('endpoints')) return one;
  if (one.endsWith('s')) return `${one}es`;
  return one.endsWith('y') ? `${one.slice(0, -1)}ies` : `${one}s`;
}
