import type { TreeNode } from './tree.ts';

/** A node of a tree, named by its key; what a test says goes before. */
export function node(key: string, parents: string[] = [], change: Partial<TreeNode> = {}): TreeNode {
  const [group = '', kind = '', namespace = '', name = ''] = key.split('/');
  return {
    key,
    group,
    version: 'v1',
    kind,
    namespace,
    name,
    uid: `uid of ${name}`,
    parents,
    managed: parents.length === 0,
    hook: false,
    sync: parents.length === 0 ? 'Synced' : '',
    health: 'Healthy',
    message: '',
    createdAt: '2026-01-01T00:00:00Z',
    facts: [],
    actions: ['delete'],
    ...change,
  };
}
