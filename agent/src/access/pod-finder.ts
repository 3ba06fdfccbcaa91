import { MusterError } from '@muster/base';
import { type KubeObject, isRecord, parseApiVersion } from '@muster/kube';
import type { ObjectReference } from '@muster/proto/records';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import { KubeError } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import { findBelonging } from './lineage.ts';

/** A Pod by its name and its life: one of the same name that came later is another. */
export interface FoundPod {
  namespace: string;
  name: string;
  uid: string;
}

/** Pods of one namespace that are looked at. */
const MAX_LISTED = 10_000;
const PAGE = 500;
const MAX_DEPTH = 8;
const METADATA =
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io';

/**
 * Finds Pods that come to an Application, or to one object of it, while somebody follows it. Each look lists names and
 * owners of the Pods in the namespaces; who owns them is asked once for each owner.
 */
export class PodFinder {
  private readonly cluster: Cluster;
  private readonly app: Application;
  private readonly owner: ObjectReference | undefined;
  private readonly signal: AbortSignal;
  /** What was found out of Pods, and of owners of several, by UID. */
  private readonly verdicts = new Map<string, boolean>();

  /** `owner`: only Pods below this object, whose UID is known; undefined: all of the Application. */
  constructor(cluster: Cluster, app: Application, owner: ObjectReference | undefined, signal: AbortSignal) {
    this.cluster = cluster;
    this.app = app;
    this.owner = owner;
    this.signal = signal;
  }

  /** The Pods there are now that belong. Throws KubeError. */
  async find(namespaces: readonly string[]): Promise<FoundPod[]> {
    const found: FoundPod[] = [];
    for (const namespace of namespaces) {
      for (const pod of await this.list(namespace)) {
        const { name = '', uid = '' } = pod.metadata;
        if (await this.belongs(pod, { namespace, name, uid })) found.push({ namespace, name, uid });
      }
    }
    return found;
  }

  private async list(namespace: string): Promise<KubeObject[]> {
    const { cluster, signal } = this;
    const pods: KubeObject[] = [];
    for (let token: string | undefined; ; ) {
      const { metadata, items } = await cluster.client.call<{
        metadata: { continue?: string };
        items: KubeObject[] | null;
      }>(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`, {
        query: { limit: PAGE, continue: token },
        accept: METADATA,
        signal,
        impersonate: this.app.assignment.impersonate || undefined,
      });
      pods.push(...(items ?? []));
      token = metadata.continue || undefined;
      if (!token || pods.length >= MAX_LISTED) return pods;
    }
  }

  private async belongs(pod: KubeObject, { namespace, name, uid }: FoundPod): Promise<boolean> {
    // All Pods of a ReplicaSet belong where it does.
    const key = ownersOf(pod)[0]?.uid || uid;
    const known = this.verdicts.get(key);
    if (known !== undefined) return known;
    const verdict = await this.judge(pod, { group: '', kind: 'Pod', namespace, name, uid });
    if (verdict !== undefined) this.verdicts.set(key, verdict);
    return verdict ?? false;
  }

  /** Undefined: the Pod is gone meanwhile, which says nothing of others of its owner. */
  private async judge(pod: KubeObject, reference: ObjectReference): Promise<boolean | undefined> {
    const { owner } = this;
    if (owner && !(await this.leadsTo(pod, owner.uid, MAX_DEPTH))) return false;
    try {
      return (await findBelonging(this.cluster, this.app, reference, this.signal)) ? true : undefined;
    } catch (thrown) {
      this.signal.throwIfAborted();
      // Somebody else's is not for this ask.
      if (thrown instanceof KubeError || !(thrown instanceof MusterError)) throw thrown;
      return thrown.code === 'conflict' ? undefined : false;
    }
  }

  private async leadsTo(object: KubeObject, uid: string, depth: number): Promise<boolean> {
    const owners = ownersOf(object);
    if (owners.some((each) => each.uid === uid)) return true;
    if (depth === 0) return false;
    const { client, discovery } = this.cluster;
    const impersonate = this.app.assignment.impersonate || undefined;
    for (const { apiVersion, kind, name, uid: expected } of owners) {
      const type = await discovery.resolveKind(parseApiVersion(apiVersion).group, kind);
      if (!type) continue;
      const path = pathOf(type, object.metadata.namespace, name);
      const found = await client.find<KubeObject>(path, { signal: this.signal, impersonate });
      if (found?.metadata.uid === expected && (await this.leadsTo(found, uid, depth - 1))) return true;
    }
    return false;
  }
}

function ownersOf({
  metadata,
}: KubeObject): { apiVersion: string; kind: string; name: string; uid: string }[] {
  const { ownerReferences } = metadata;
  if (!Array.isArray(ownerReferences)) return [];
  return ownerReferences.filter(isRecord).map(({ apiVersion, kind, name, uid }) => ({
    apiVersion: String(apiVersion),
    kind: String(kind),
    name: String(name),
    uid: String(uid),
  }));
}
