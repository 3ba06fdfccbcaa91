import { describe, expect, it } from 'vitest';
import { node } from './sample.fixture.ts';
import { type TreeNode, type TreeRow, hasPods, treeMove, treeRows } from './tree.ts';

const WEB = 'apps/Deployment/shop/web';
const SET = 'apps/ReplicaSet/shop/web-1';
const POD = '/Pod/shop/web-1-x';
const TREE = [
  node(WEB),
  node('/ConfigMap/shop/settings'),
  node(SET, [WEB]),
  node(POD, [SET], { health: 'Degraded', facts: [{ name: 'ready', value: '0/1' }] }),
];
const drawn = (rows: TreeRow[]) =>
  rows.map(
    ({ node: { name }, level, open }) => `${'  '.repeat(level - 1)}${name}${open === false ? ' +' : ''}`,
  );
const none = new Map<string, boolean>();

describe('the tree of objects', () => {
  it('has owners before what they own, and place and number among siblings', () => {
    const rows = treeRows(TREE, none, '');
    expect(drawn(rows)).toEqual(['web', '  web-1', '    web-1-x', 'settings']);
    expect(rows[3]).toMatchObject({ level: 1, position: 2, siblings: 2 });
    expect(rows[3]!.open).toBeUndefined();
  });

  it('hides what is below a closed branch', () => {
    expect(drawn(treeRows(TREE, new Map([[SET, false]]), ''))).toEqual(['web', '  web-1 +', 'settings']);
  });

  it('is closed at first when it is large, but for what somebody opened', () => {
    const many: TreeNode[] = Array.from({ length: 200 }, (_, i) => node(`/Pod/shop/p${i}`, [WEB]));
    const large = [node(WEB), ...many];
    expect(treeRows(large, none, '')).toHaveLength(1);
    expect(treeRows(large, new Map([[WEB, true]]), '')).toHaveLength(201);
  });

  it('leaves of a filter what holds all its words, the way there and what is below', () => {
    expect(drawn(treeRows(TREE, new Map([[WEB, false]]), 'pod degraded'))).toEqual([
      'web',
      '  web-1',
      '    web-1-x',
    ]);
    expect(drawn(treeRows(TREE, none, 'deployment'))).toEqual(['web', '  web-1', '    web-1-x']);
    expect(drawn(treeRows(TREE, none, 'SETTINGS'))).toEqual(['settings']);
    expect(treeRows(TREE, none, 'nothing')).toEqual([]);
  });

  it('shows an object once, and one whose owner is not there at the top', () => {
    const other = 'apps/ReplicaSet/shop/web-2';
    const nodes = [node(SET), node(other), node(POD, [other, SET]), node('/Pod/shop/lost', ['gone'])];
    expect(drawn(treeRows(nodes, none, ''))).toEqual(['web-1', 'web-2', '  web-1-x', 'lost']);
  });

  it('knows what leads to Pods', () => {
    expect([WEB, SET, POD].map((key) => hasPods(TREE, key))).toEqual([true, true, true]);
    expect(hasPods(TREE, '/ConfigMap/shop/settings')).toBe(false);
  });

  it('is walked by arrows as trees are', () => {
    const rows = treeRows(TREE, none, '');
    expect(treeMove(rows, 0, 'ArrowDown')).toEqual({ to: 1 });
    expect(treeMove(rows, 3, 'ArrowDown')).toEqual({ to: 3 });
    expect(treeMove(rows, 0, 'ArrowRight')).toEqual({ to: 1 });
    expect(treeMove(rows, 0, 'ArrowLeft')).toEqual({ fold: WEB, open: false });
    expect(treeMove(rows, 2, 'ArrowLeft')).toEqual({ to: 1 });
    expect(treeMove(rows, 2, 'ArrowRight')).toBeUndefined();
    expect(treeMove(rows, 1, 'End')).toEqual({ to: 3 });
    expect(treeMove(treeRows(TREE, new Map([[WEB, false]]), ''), 0, 'ArrowRight')).toEqual({
      fold: WEB,
      open: true,
    });
    expect(treeMove(rows, 0, 'a')).toBeUndefined();
  });
});
