import type { ResourceTree } from '@muster/api';

export type TreeNode = ResourceTree['nodes'][number];

/** One visible line of the tree. */
export interface TreeRow {
  node: TreeNode;
  /** From 1. */
  level: number;
  /** Place among its siblings, from 1, and how many they are. */
  position: number;
  siblings: number;
  /** Undefined: nothing below it. */
  open?: boolean;
}

/** Which branches somebody opened or closed; the others follow the rule. */
export type Folds = ReadonlyMap<string, boolean>;

/** Up to this many objects, all branches are open at first. */
const OPEN_UP_TO = 100;

/**
 * The lines of a tree, parents before their children. An object with several owners is below the first one that is there.
 * A filter leaves what it finds and the way to it, all of it open.
 */
export function treeRows(nodes: readonly TreeNode[], folds: Folds, filter: string): TreeRow[] {
  const children = childrenOf(nodes);
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = words.length > 0 ? found(children, words) : undefined;
  const small = nodes.length <= OPEN_UP_TO;
  const rows: TreeRow[] = [];
  const add = (parent: string, level: number) => {
    const all = children.get(parent) ?? [];
    const shown = kept ? all.filter(({ key }) => kept.has(key)) : all;
    shown.forEach((node, i) => {
      const below = (children.get(node.key) ?? []).some(({ key }) => !kept || kept.has(key));
      const open = kept !== undefined || (folds.get(node.key) ?? small);
      rows.push({ node, level, position: i + 1, siblings: shown.length, ...(below && { open }) });
      if (below && open) add(node.key, level + 1);
    });
  };
  add('', 1);
  return rows;
}

/** Whether a node is a Pod or owns one, however far. */
export function hasPods(nodes: readonly TreeNode[], key: string): boolean {
  const above = new Set([key]);
  // Parents come before their children.
  return nodes.some((node) => {
    if (node.key !== key && !node.parents.some((parent) => above.has(parent))) return false;
    above.add(node.key);
    return node.kind === 'Pod' && node.group === '';
  });
}

/** Where a key of the keyboard leads in a tree: to another line, or to a branch that opens or closes. */
export function treeMove(
  rows: readonly TreeRow[],
  at: number,
  key: string,
): { to: number } | { fold: string; open: boolean } | undefined {
  const row = rows[at];
  if (!row) return undefined;
  switch (key) {
    case 'ArrowDown':
      return { to: Math.min(at + 1, rows.length - 1) };
    case 'ArrowUp':
      return { to: Math.max(at - 1, 0) };
    case 'Home':
      return { to: 0 };
    case 'End':
      return { to: rows.length - 1 };
    case 'ArrowRight':
      if (row.open === undefined) return undefined;
      return row.open ? { to: at + 1 } : { fold: row.node.key, open: true };
    case 'ArrowLeft': {
      if (row.open) return { fold: row.node.key, open: false };
      const parent = rows.slice(0, at).findLastIndex(({ level }) => level < row.level);
      return parent >= 0 ? { to: parent } : undefined;
    }
    default:
      return undefined;
  }
}

function childrenOf(nodes: readonly TreeNode[]): Map<string, TreeNode[]> {
  const known = new Set<string>();
  const children = new Map<string, TreeNode[]>();
  for (const node of nodes) {
    // Owners come first, so an owner that has not been seen is none; a loop cannot be.
    const parent = node.parents.find((key) => known.has(key)) ?? '';
    known.add(node.key);
    const siblings = children.get(parent);
    if (siblings) siblings.push(node);
    else children.set(parent, [node]);
  }
  return children;
}

/** Nodes that hold all the words, what is below them, and the way to them. */
function found(children: ReadonlyMap<string, TreeNode[]>, words: readonly string[]): Set<string> {
  const kept = new Set<string>();
  const visit = (node: TreeNode, within: boolean): boolean => {
    const hit = within || words.every((word) => textOf(node).includes(word));
    let below = false;
    for (const child of children.get(node.key) ?? []) below = visit(child, hit) || below;
    if (hit || below) kept.add(node.key);
    return hit || below;
  };
  for (const root of children.get('') ?? []) visit(root, false);
  return kept;
}

function textOf({ kind, namespace, name, sync, health, facts }: TreeNode): string {
  const told = facts.map((fact) => `${fact.name} ${fact.value}`).join(' ');
  return `${kind} ${kind}/${namespace}/${name} ${sync} ${health} ${told}`.toLowerCase();
}
