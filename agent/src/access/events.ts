import { type KubeObject, isRecord, keyString } from '@muster/kube';
import type { ObjectReference } from '@muster/proto/records';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import { mayLook } from '../apply/power.ts';
import { KubeError } from '../kube/errors.ts';
import { findBelonging } from './lineage.ts';
import type { Masking } from './masking.ts';
import { readTree } from './tree.ts';

/** One thing that happened to an object, as Kubernetes keeps it for about an hour. */
export interface ObjectEvent {
  type: string;
  reason: string;
  message: string;
  count: number;
  firstAt: string;
  lastAt: string;
  source: string;
  object: { group: string; kind: string; namespace: string; name: string };
}

export interface ObjectEvents {
  items: ObjectEvent[];
  notes: string[];
  truncated: boolean;
}

const MAX_EVENTS = 500;
const MAX_LISTED = 20_000;
const PAGE = 500;

/** Events about one object and what it owns, or about all of the Application; newest first. */
export async function readEvents(
  cluster: Cluster,
  app: Application,
  reference: ObjectReference | undefined,
  masking: Masking,
  signal: AbortSignal,
): Promise<ObjectEvents> {
  if (reference) await findBelonging(cluster, app, reference, signal);
  const tree = await readTree(cluster, app, signal);
  const concerned = reference ? below(tree.nodes, keyString(reference)) : tree.nodes;
  const uids = new Set(concerned.map(({ uid }) => uid).filter(Boolean));
  const names = new Set(concerned.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`));
  // What is gone has no node, but its events say why: those of the object that was asked for are told all the same.
  if (reference) names.add(`${reference.kind}/${reference.namespace}/${reference.name}`);
  const { notes } = tree;
  const found: ObjectEvent[] = [];
  let truncated = false;
  // Events of cluster-scoped objects are kept in `default`.
  const namespaces = new Set(concerned.map(({ namespace }) => namespace || 'default'));
  if (reference) namespaces.add(reference.namespace || 'default');
  for (const namespace of [...namespaces].sort()) {
    if (!mayLook(cluster.power, namespace)) continue;
    try {
      const complete = await eachEvent(cluster, app, namespace, signal, (event) => {
        const about = isRecord(event.involvedObject) ? event.involvedObject : {};
        const name = `${String(about.kind)}/${String(about.namespace ?? '')}/${String(about.name)}`;
        if (uids.has(String(about.uid)) || (about.uid === undefined && names.has(name)) || names.has(name))
          found.push(eventOf(event, about, masking));
      });
      if (!complete) notes.push(`only the first ${MAX_LISTED} events in ${namespace} were looked at`);
    } catch (thrown) {
      signal.throwIfAborted();
      if (!(thrown instanceof KubeError) || thrown.status !== 403) throw thrown;
      notes.push(`events in ${namespace} could not be looked at: the agent may not list them`);
    }
  }
  found.sort((a, b) => (a.lastAt < b.lastAt ? 1 : -1));
  truncated = found.length > MAX_EVENTS;
  return { items: found.slice(0, MAX_EVENTS), notes, truncated };
}

/** False when there are more than are looked at. */
async function eachEvent(
  cluster: Cluster,
  app: Application,
  namespace: string,
  signal: AbortSignal,
  take: (event: KubeObject) => void,
): Promise<boolean> {
  const impersonate = app.assignment.impersonate || undefined;
  let seen = 0;
  for (let token: string | undefined; ; ) {
    const { metadata, items } = await cluster.client.call<{
      metadata: { continue?: string };
      items: KubeObject[];
    }>(`/api/v1/namespaces/${encodeURIComponent(namespace)}/events`, {
      query: { limit: PAGE, continue: token },
      signal,
      impersonate,
      tries: 2,
    });
    items.forEach(take);
    seen += items.length;
    token = metadata.continue || undefined;
    if (!token) return true;
    if (seen >= MAX_LISTED) return false;
  }
}

function eventOf(event: KubeObject, about: Record<string, unknown>, masking: Masking): ObjectEvent {
  const source = isRecord(event.source) ? event.source : {};
  const series = isRecord(event.series) ? event.series : {};
  const made = event.metadata.creationTimestamp ?? '';
  const last = text(series.lastObservedTime) || text(event.lastTimestamp) || text(event.eventTime) || made;
  const version = text(about.apiVersion);
  return {
    type: text(event.type),
    reason: text(event.reason),
    message: masking.text(text(event.message)).slice(0, 2_000),
    count: Number(series.count ?? event.count) || 1,
    firstAt: text(event.firstTimestamp) || text(event.eventTime) || made,
    lastAt: last,
    source: text(event.reportingComponent) || text(source.component),
    object: {
      group: version.includes('/') ? version.slice(0, version.indexOf('/')) : '',
      kind: text(about.kind),
      namespace: text(about.namespace),
      name: text(about.name),
    },
  };
}

/** A node and everything below it. */
export function below<Node extends { key: string; parents: string[] }>(
  nodes: readonly Node[],
  key: string,
): Node[] {
  const within = new Set([key]);
  // Parents come before their children.
  return nodes.filter((node) => {
    if (!within.has(node.key) && !node.parents.some((parent) => within.has(parent))) return false;
    within.add(node.key);
    return true;
  });
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
