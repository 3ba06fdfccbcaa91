import { isRecord, type KubeObject, type ObjectKey, keyOf, keyString } from '../object.ts';
import { type ObjectFact, factsOf, part } from './object-facts.ts';

/** What the tree keeps of one object in the cluster: no more than is shown. */
export interface LiveNode extends ObjectKey {
  key: string;
  uid: string;
  /** UIDs of the objects that own it. */
  owners: string[];
  /** Keys of objects that own it without saying so in ownerReferences. */
  ownerKeys: string[];
  createdAt: string;
  health: string;
  message: string;
  facts: ObjectFact[];
}

/** One object of the tree. */
export interface TreeNode extends Omit<LiveNode, 'owners' | 'ownerKeys'> {
  /** Keys of the nodes that own it; empty for what Git names. */
  parents: string[];
  /** Applied by Muster, or to be. */
  managed: boolean;
  /** Made by a sync. */
  hook: boolean;
  /** Synced, OutOfSync, Unknown; '' for what is not managed. */
  sync: string;
}

/** An object that belongs to an Application by itself. */
export type RootNode = Omit<TreeNode, 'parents'>;

/** Reads what the tree keeps. `health` is judged by the caller, who knows users' checks. */
export function liveNode(object: KubeObject, health: { status: string; message: string } | null): LiveNode {
  const key = keyOf(object);
  const owners = object.metadata.ownerReferences;
  return {
    ...key,
    key: keyString(key),
    uid: object.metadata.uid ?? '',
    owners: Array.isArray(owners) ? owners.filter(isRecord).map(({ uid }) => String(uid)) : [],
    ownerKeys: impliedOwners(object),
    createdAt: object.metadata.creationTimestamp ?? '',
    health: health?.status ?? '',
    message: health?.message ?? '',
    facts: factsOf(object),
  };
}

/**
 * Links what was found to what belongs to the Application: every object below a root, each once, roots first, at most
 * `limit` of them. Objects that nothing of the Application owns are left out.
 */
export function linkTree(
  roots: readonly RootNode[],
  found: readonly LiveNode[],
  limit: number,
): { nodes: TreeNode[]; truncated: boolean } {
  const nodes = new Map<string, TreeNode>(roots.map((root) => [root.key, { ...root, parents: [] }]));
  const children = new Map<string, LiveNode[]>();
  for (const each of found) {
    for (const owner of [...each.owners, ...each.ownerKeys]) {
      const siblings = children.get(owner);
      if (siblings) siblings.push(each);
      else children.set(owner, [each]);
    }
  }
  let truncated = false;
  const queue = [...nodes.values()];
  for (let at = 0; at < queue.length; at++) {
    const parent = queue[at]!;
    for (const child of [...(children.get(parent.uid) ?? []), ...(children.get(parent.key) ?? [])]) {
      const known = nodes.get(child.key);
      if (known) {
        if (known.uid === child.uid && known.key !== parent.key && !known.parents.includes(parent.key))
          known.parents.push(parent.key);
        continue;
      }
      if (nodes.size >= limit) {
        truncated = true;
        continue;
      }
      const { owners: _owners, ownerKeys: _ownerKeys, ...shown } = child;
      const node = { ...shown, parents: [parent.key], managed: false, hook: false, sync: '' };
      nodes.set(child.key, node);
      queue.push(node);
    }
  }
  return { nodes: [...nodes.values()], truncated };
}

/**
 * Keys of owners that are not in ownerReferences: the StatefulSet of a claim that it made for one of its Pods, by the
 * name that the controller gives. A candidate, as another claim may be called alike: `claimOf` says for certain.
 */
export function impliedOwners(object: KubeObject): string[] {
  const { kind, group, namespace, name } = keyOf(object);
  if (kind !== 'PersistentVolumeClaim' || group !== '') return [];
  // `<template>-<statefulset>-<ordinal>`, and both may hold dashes.
  const parts = name.replace(/-\d+$/, '').split('-');
  if (parts.length < 2 || !/-\d+$/.test(name)) return [];
  return parts
    .slice(1)
    .map((_, index) => `apps/StatefulSet/${namespace}/${parts.slice(index + 1).join('-')}`);
}

/** Whether a claim was made for a Pod of this StatefulSet. */
export function claimOf(claim: string, set: KubeObject): boolean {
  const templates = part(set, 'spec', 'volumeClaimTemplates');
  if (!Array.isArray(templates)) return false;
  return templates.some((template) => {
    const prefix = `${String(part(template, 'metadata', 'name'))}-${set.metadata.name}-`;
    return claim.startsWith(prefix) && /^\d+$/.test(claim.slice(prefix.length));
  });
}
