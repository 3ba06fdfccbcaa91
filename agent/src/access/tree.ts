import {
  APPLICATION_LABEL,
  type GroupKind,
  type KubeObject,
  type LiveNode,
  type RootNode,
  type TreeNode,
  applicationLabel,
  groupKindString,
  hasBuiltInCheck,
  hasCatalogueRule,
  kindsBelow,
  linkTree,
  liveNode,
  parseKeyString,
} from '@muster/kube';
import type { Application } from '../apply/application.ts';
import { type Cluster, isWatchable } from '../apply/cluster.ts';
import { eachOf } from '../apply/concurrency.ts';
import { mayLook } from '../apply/power.ts';
import { type ApiType, apiVersionOf } from '../kube/discovery.ts';
import { KubeError, safeMessage } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import { nameOf } from '../observe/live-index.ts';

/** The objects of an Application and what they own. */
export interface Tree {
  nodes: TreeNode[];
  /** What could not be looked at, in words. */
  notes: string[];
  truncated: boolean;
}

/** Nodes of one tree. */
const MAX_NODES = 5_000;
/** Kinds that are listed for one tree. */
const MAX_KINDS = 60;
/** Objects of one kind in one namespace that are looked at. */
const MAX_LISTED = 10_000;
const PAGE = 500;
/** Lists under way at once: a look must not keep the API server busy. */
const LISTS = 6;

const METADATA =
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io';

interface List {
  metadata: { continue?: string };
  items: KubeObject[];
}

/**
 * Looks at what the Application's objects own, now: lists the kinds that they may own in the namespaces where they are,
 * page by page, and keeps of each object what is shown. Nothing is watched or kept for it.
 */
export async function readTree(cluster: Cluster, app: Application, signal: AbortSignal): Promise<Tree> {
  const roots = rootsOf(cluster, app);
  const notes: string[] = [];
  const served = (await cluster.discovery.removable()).map(({ group, kind }) => ({ group, kind }));
  const below = kindsBelow(roots.values(), served, MAX_KINDS);
  const found: LiveNode[] = [];
  const look = new Look(cluster, app, signal);
  const namespaces = namespacesOf(cluster, roots.values());
  await eachOf(below, LISTS, async (kind) => {
    const type = await cluster.discovery.resolveKind(kind.group, kind.kind);
    if (!type?.verbs.includes('list') || (!type.namespaced && !mayLook(cluster.power, ''))) return;
    for (const namespace of type.namespaced ? namespaces : ['']) {
      try {
        if (!(await look.all(type, namespace, {}, (object) => found.push(object))))
          notes.push(`only the first ${MAX_LISTED} ${type.plural}${inNamespace(namespace)} were looked at`);
      } catch (thrown) {
        notes.push(unreadable(type, namespace, thrown, signal));
      }
    }
  });
  await addAges(look, cluster, app, roots, found);
  const { nodes, truncated } = linkTree([...roots.values()], found, MAX_NODES);
  if (truncated) notes.push(`only ${MAX_NODES} objects are shown`);
  return { nodes, notes: [...new Set(notes)].sort(), truncated };
}

/** Lists objects and keeps of each what a tree shows. */
class Look {
  private readonly cluster: Cluster;
  private readonly signal: AbortSignal;
  private readonly impersonate: string | undefined;

  constructor(cluster: Cluster, app: Application, signal: AbortSignal) {
    this.cluster = cluster;
    this.signal = signal;
    this.impersonate = app.assignment.impersonate || undefined;
  }

  /** False when there are more than are looked at. */
  async all(
    type: ApiType,
    namespace: string,
    { labelSelector, whole = showsStatus(this.cluster, type) }: { labelSelector?: string; whole?: boolean },
    take: (object: LiveNode) => void,
  ): Promise<boolean> {
    const { signal, impersonate } = this;
    const apiVersion = apiVersionOf(type.group, type.version);
    let seen = 0;
    for (let token: string | undefined; ; ) {
      const { metadata, items } = await this.cluster.client.call<List>(pathOf(type, namespace), {
        query: { limit: PAGE, continue: token, labelSelector },
        // Values of Secrets, and whatever else nobody is shown, do not even come here.
        ...(whole ? {} : { accept: METADATA }),
        signal,
        impersonate,
        tries: 2,
      });
      for (const item of items) {
        const object = { ...item, apiVersion, kind: type.kind } as KubeObject;
        take(liveNode(object, whole ? await this.cluster.index.assess(object) : null));
      }
      seen += items.length;
      token = metadata.continue || undefined;
      if (!token) return true;
      if (seen >= MAX_LISTED) return false;
    }
  }
}

/** Kinds whose health or facts are shown are read whole; of others only their metadata. */
function showsStatus(cluster: Cluster, type: ApiType): boolean {
  if (type.group === '' && type.kind === 'Secret') return false;
  const name = groupKindString(type);
  const of = { apiVersion: apiVersionOf(type.group, type.version), kind: type.kind, metadata: {} };
  return (
    hasBuiltInCheck(of) ||
    hasCatalogueRule(of) ||
    cluster.index.hasCheck(type) ||
    ['apps/ControllerRevision', 'batch/CronJob'].includes(name)
  );
}

/** What belongs to the Application by itself: what Git names, what is left of before, hooks. */
function rootsOf(cluster: Cluster, app: Application): Map<string, RootNode> {
  const roots = new Map<string, RootNode>();
  for (const { key, version, sync, health, message } of app.resources.values()) {
    const named = parseKeyString(key);
    if (!named) continue;
    const uid = cluster.index.get(key)?.uid ?? app.inventory.get(key)?.uid ?? '';
    const about = { key, version, uid, createdAt: '', facts: [], health, message, sync };
    roots.set(key, { ...named, ...about, managed: true, hook: false });
  }
  for (const { key, version, uid, health, healthMessage } of cluster.index.ownedBy(app.key)) {
    const named = parseKeyString(key);
    if (!named || roots.has(key)) continue;
    const about = { key, version, uid, createdAt: '', facts: [], health, message: healthMessage, sync: '' };
    roots.set(key, { ...named, ...about, managed: true, hook: true });
  }
  return roots;
}

/** When they were made, and their facts: of those that were listed from the list, of others from a list by Muster's label. */
async function addAges(
  look: Look,
  cluster: Cluster,
  app: Application,
  roots: Map<string, RootNode>,
  found: readonly LiveNode[],
): Promise<void> {
  const { applicationNamespace: namespace, applicationName: name } = app.assignment;
  const labelSelector = `${APPLICATION_LABEL}=${applicationLabel({ namespace, name })}`;
  const take = ({ key, uid, createdAt, facts }: LiveNode) => {
    const root = roots.get(key);
    if (root && (root.uid === '' || root.uid === uid)) Object.assign(root, { uid, createdAt, facts });
  };
  for (const each of found) take(each);
  const rest = [...roots.values()].filter(({ createdAt }) => createdAt === '');
  const kinds = new Map(rest.map((root) => [`${root.group}/${root.kind}`, root as GroupKind]));
  await eachOf([...kinds.values()].slice(0, MAX_KINDS), LISTS, async (kind) => {
    const type = await cluster.discovery.resolveKind(kind.group, kind.kind);
    if (!type?.verbs.includes('list') || !isWatchable(cluster, type)) return;
    const where = type.namespaced && cluster.namespaces.length > 0 ? cluster.namespaces : [''];
    for (const at of where) {
      // An age is not worth an error.
      await look
        .all(type, at, { labelSelector, whole: roots.size <= 500 && showsStatus(cluster, type) }, take)
        .catch(() => false);
    }
  });
}

/** Where children can be: beside what is namespaced. */
function namespacesOf(cluster: Cluster, roots: Iterable<RootNode>): string[] {
  const namespaces = new Set<string>();
  for (const { namespace } of roots) if (namespace !== '') namespaces.add(namespace);
  return [...namespaces].filter((each) => mayLook(cluster.power, each)).sort();
}

function unreadable(type: ApiType, namespace: string, thrown: unknown, signal: AbortSignal): string {
  signal.throwIfAborted();
  const why =
    thrown instanceof KubeError && thrown.status === 403
      ? 'the agent may not list them'
      : safeMessage(type.kind, thrown);
  return `${nameOf(type).replace(/^\//, '')}${inNamespace(namespace)} could not be looked at: ${why}`;
}

const inNamespace = (namespace: string) => (namespace ? ` in ${namespace}` : '');
