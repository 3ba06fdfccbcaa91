import type { ApplicationView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { ListTree, Rows3 } from 'lucide-react';
import { useMemo } from 'react';
import { Section } from '../../ui/drawer.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Skeleton, StateWord } from '../../ui/parts.tsx';
import { Segment, Segments } from '../../ui/segments.tsx';
import { ObservedAgo } from '../fleet/fleet-header.tsx';
import { useFleetSearch } from '../fleet/use-search.ts';
import { TreeView } from '../resources/tree-view.tsx';
import { type ResourceRow, driftRows, readResources } from './drift.ts';
import { DriftTable } from './drift-table.tsx';
import { resourcesQuery } from './queries.ts';
import { healthTone, isSilent, keyOf, syncTone } from './state.ts';

/** More resources than this are only counted. */
const SHOWN = 200;

/** Drift and resources: as the agent reported them last, or, when asked for, as a tree that the cluster tells now. */
export function Resources({ app }: { app: ApplicationView }) {
  const appKey = keyOf(app);
  const [search, change] = useFleetSearch();
  const { data, error, refetch } = useQuery(resourcesQuery(appKey));
  const rows = useMemo(() => readResources(data?.resources ?? []), [data]);
  const drift = useMemo(() => driftRows(rows), [rows]);
  const tree = search.tree ?? false;
  return (
    <>
      {drift.length > 0 && (
        <Section title={`Drift (${drift.length})`} aside={isSilent(app) && 'as last reported'}>
          <DriftTable rows={drift} />
        </Section>
      )}
      <Section
        title={data ? `Resources (${rows.length})` : 'Resources'}
        aside={!tree && data && <ObservedAgo at={data.observedAt} />}
      >
        <div className="mb-2">
          <Segments label="Resources">
            <Segment active={!tree} onClick={() => change({ tree: undefined }, true)}>
              <Rows3 className="size-3.5" aria-hidden /> As reported
            </Segment>
            <Segment active={tree} onClick={() => change({ tree: true }, true)}>
              <ListTree className="size-3.5" aria-hidden /> Tree
            </Segment>
          </Segments>
        </div>
        {tree ? (
          <TreeView appKey={appKey} />
        ) : error ? (
          <ErrorNotice error={error} retry={() => void refetch()} />
        ) : data ? (
          <Reported rows={rows} />
        ) : (
          <Skeleton className="h-16" />
        )}
      </Section>
    </>
  );
}

function Reported({ rows }: { rows: ResourceRow[] }) {
  if (rows.length === 0) return <p className="text-muted">The cluster has reported none.</p>;
  return (
    <>
      <ul className="-mx-2 divide-y divide-line/60">
        {rows.slice(0, SHOWN).map((row) => (
          <ReportedRow key={row.key} row={row} />
        ))}
      </ul>
      {rows.length > SHOWN && <p className="pt-1 text-muted">and {rows.length - SHOWN} more</p>}
    </>
  );
}

function ReportedRow({ row }: { row: ResourceRow }) {
  const [search, change] = useFleetSearch();
  const shown = search.object === row.key;
  return (
    <li
      className={`relative flex items-center gap-3 px-2 py-1 hover:bg-raised/60 ${shown ? 'bg-accent/10' : ''}`}
    >
      <span className="min-w-0 flex-1 truncate" title={row.key}>
        <span className="text-muted">{row.kind}</span>{' '}
        <button
          type="button"
          aria-pressed={shown}
          className="after:absolute after:inset-0"
          onClick={() => change({ object: row.key })}
        >
          {row.namespace && `${row.namespace}/`}
          {row.name}
        </button>
        {row.message && row.health !== 'Healthy' && (
          <span className="block truncate text-xs text-muted" title={row.message}>
            {row.message}
          </span>
        )}
      </span>
      {row.foreign && (
        <span className="text-warn" title={row.message}>
          {row.foreign}
        </span>
      )}
      {row.requiresPruning && <span className="text-warn">to be pruned</span>}
      <StateWord word={row.sync} tone={syncTone(row.sync)} quiet={row.sync === 'Synced'} />
      {row.health && (
        <StateWord word={row.health} tone={healthTone(row.health)} quiet={row.health === 'Healthy'} />
      )}
    </li>
  );
}
