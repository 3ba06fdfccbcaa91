import type { ResourceTree } from '@muster/api';
import { age, paintState, plain } from './output.ts';

type Node = ResourceTree['nodes'][number];

/** The tree as people read it: each object under what owns it, once, with health, age and what is wrong. */
export function treeText(
  { nodes, notes }: ResourceTree,
  { now, colour, wide }: { now: number; colour: boolean; wide: boolean },
): string {
  const rows: string[][] = [];
  const shown = new Set<string>();
  const children = new Map<string, Node[]>();
  for (const node of nodes)
    for (const parent of node.parents) children.set(parent, [...(children.get(parent) ?? []), node]);
  const add = (node: Node, lead: string, below: string) => {
    if (shown.has(node.key)) return;
    shown.add(node.key);
    rows.push([`${lead}${nameOf(node, wide)}`, ...cellsOf(node, now, wide)]);
    const own = sorted(children.get(node.key) ?? []).filter(({ key }) => !shown.has(key));
    own.forEach((child, i) => {
      const last = i === own.length - 1;
      add(child, `${below}${last ? '└─ ' : '├─ '}`, `${below}${last ? '   ' : '│  '}`);
    });
  };
  for (const root of sorted(nodes.filter(({ parents }) => parents.length === 0))) add(root, '', '');
  const titles = ['RESOURCE', ...(wide ? ['NAMESPACE'] : []), 'SYNC', 'HEALTH', 'AGE', 'STATUS'];
  const text = columns([titles, ...rows], colour);
  return notes.length === 0 ? text : `${text}\n\n${notes.map((note) => `note: ${plain(note)}`).join('\n')}`;
}

function cellsOf(node: Node, now: number, wide: boolean): string[] {
  const { sync, health, createdAt, namespace } = node;
  return [...(wide ? [namespace] : []), sync, health, age(createdAt || undefined, now), statusOf(node)].map(
    (cell) => plain(cell) || '-',
  );
}

function nameOf({ group, kind, name, hook }: Node, wide: boolean): string {
  return plain(`${wide && group ? `${kind}.${group}` : kind}/${name}${hook ? ' (hook)' : ''}`);
}

/** What is worth saying of it: facts of Pods and sets, and what is wrong where something is. */
function statusOf({ facts, health, message, uid }: Node): string {
  const said = facts
    .filter(({ name }) => name !== 'containers' && name !== 'node')
    .map(({ name, value }) => (name === 'status' || name === 'phase' ? value : `${name} ${value}`));
  const wrong = health === 'Healthy' || message === '' ? [] : [message];
  return [...(uid === '' ? ['not in the cluster'] : []), ...said, ...wrong].join(', ');
}

function sorted(nodes: Node[]): Node[] {
  return [...nodes].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

const orderOf = ({ kind, namespace, name }: Node) => `${kind}\0${namespace}\0${name}`;

function columns(rows: string[][], colour: boolean): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map((row, at) =>
      row
        .map((cell, i) => {
          const padded = i === row.length - 1 ? cell : cell.padEnd(widths[i]!);
          return colour && at > 0 && i > 0 ? padded.replace(cell, paintState(cell)) : padded;
        })
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
