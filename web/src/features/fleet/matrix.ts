import type { ApplicationSetView, ApplicationView, ClusterView } from '@muster/api';
import { mostUrgent, needsAttention, toneOf } from '../applications/state.ts';
import { connectionOf } from '../clusters/connection.ts';
import type { FleetSearch } from './search.ts';

/** A column: an ApplicationSet, or with the key '' the Applications that belong to none. */
export interface MatrixColumn {
  key: string;
  title: string;
  set?: ApplicationSetView;
  total: number;
  attention: number;
}

/** A row: a cluster, or without one a destination that names no known cluster. */
export interface MatrixRow {
  key: string;
  cluster?: ClusterView;
  /** By column key, the most urgent first. */
  cells: Map<string, ApplicationView[]>;
  attention: number;
}

export interface Matrix {
  columns: MatrixColumn[];
  rows: MatrixRow[];
}

/** Clusters × ApplicationSets, both by name; sets and clusters without Applications are there too. */
export function buildMatrix(
  clusters: readonly ClusterView[],
  sets: readonly ApplicationSetView[],
  applications: readonly ApplicationView[],
): Matrix {
  const oneNamespace = new Set(sets.map((set) => set.namespace)).size <= 1;
  const columns = new Map<string, MatrixColumn>();
  const column = (key: string, title: string, set?: ApplicationSetView) => {
    const made: MatrixColumn = { key, title, ...(set && { set }), total: 0, attention: 0 };
    columns.set(key, made);
    return made;
  };
  for (const set of [...sets].sort(byName)) {
    const key = `${set.namespace}/${set.name}`;
    column(key, oneNamespace ? set.name : key, set);
  }
  const rows = new Map<string, MatrixRow>();
  const row = (key: string, cluster?: ClusterView) => {
    const made: MatrixRow = { key, ...(cluster && { cluster }), cells: new Map(), attention: 0 };
    rows.set(key, made);
    return made;
  };
  for (const cluster of [...clusters].sort(byName)) row(cluster.name, cluster);
  for (const app of applications) {
    const to = app.destination.cluster ?? (app.destination.server || 'no destination');
    const inRow = rows.get(to) ?? row(to);
    const key = app.set ?? '';
    const inColumn = columns.get(key) ?? column(key, key || 'Standalone');
    const cell = inRow.cells.get(key);
    if (cell) cell.push(app);
    else inRow.cells.set(key, [app]);
    inColumn.total += 1;
    if (!needsAttention(app)) continue;
    inColumn.attention += 1;
    inRow.attention += 1;
  }
  for (const { cells } of rows.values()) {
    for (const apps of cells.values()) {
      if (apps.length < 2) continue;
      const first = mostUrgent(apps)!;
      apps.sort((a, b) => Number(b === first) - Number(a === first));
    }
  }
  return { columns: [...columns.values()], rows: [...rows.values()] };
}

/** Rows and columns that the filters leave; words of `q` are parts of a cluster's name or of `key=value` labels. */
export function filterMatrix({ columns, rows }: Matrix, search: FleetSearch): Matrix {
  const words = (search.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return {
    columns: search.set ? columns.filter(({ key }) => key === search.set) : columns,
    rows: rows.filter((row) => {
      if (search.cluster && row.key !== search.cluster) return false;
      if (search.connection && (!row.cluster || connectionOf(row.cluster).kind !== search.connection))
        return false;
      if (search.attention && !rowNeedsAttention(row)) return false;
      if (!matchesState(row, search)) return false;
      const text = textOf(row);
      return words.every((word) => text.includes(word));
    }),
  };
}

function rowNeedsAttention(row: MatrixRow): boolean {
  return row.attention > 0 || (row.cluster !== undefined && connectionOf(row.cluster).kind !== 'connected');
}

function matchesState(row: MatrixRow, { sync, health, set }: FleetSearch): boolean {
  if (!sync && !health) return true;
  const cells = set ? [row.cells.get(set) ?? []] : [...row.cells.values()];
  return cells.some((apps) =>
    apps.some((app) => (!sync || app.sync === sync) && (!health || app.health === health)),
  );
}

function textOf({ key, cluster }: MatrixRow): string {
  const labels = Object.entries(cluster?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return [key, ...labels].join(' ').toLowerCase();
}

/** The tone of a cell with several Applications is that of the first, which is the most urgent. */
export function cellTone(apps: readonly ApplicationView[]) {
  return apps[0] ? toneOf(apps[0]) : undefined;
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
