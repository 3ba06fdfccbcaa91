import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Section } from '../../ui/drawer.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Ago, Skeleton, StateWord } from '../../ui/parts.tsx';
import { ObservedAgo } from '../fleet/fleet-header.tsx';
import { type DriftRow, driftRows, readResources } from './drift.ts';
import { resourcesQuery } from './queries.ts';
import { healthTone, syncTone } from './state.ts';

/** More resources than this are only counted. */
const SHOWN = 200;

/** Drift and resources, as the agent reported them last. */
export function Resources({ appKey, silent }: { appKey: string; silent: boolean }) {
  const { data, error, refetch } = useQuery(resourcesQuery(appKey));
  const rows = useMemo(() => readResources(data?.resources ?? []), [data]);
  const drift = useMemo(() => driftRows(rows), [rows]);
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Section title="Resources">
        <Skeleton className="h-16" />
      </Section>
    );
  return (
    <>
      {drift.length > 0 && (
        <Section title={`Drift (${drift.length})`} aside={silent && 'as last reported'}>
          <DriftTable rows={drift} />
        </Section>
      )}
      <Section title={`Resources (${rows.length})`} aside={<ObservedAgo at={data.observedAt} />}>
        {rows.length === 0 && <p className="text-muted">The cluster has reported none.</p>}
        <ul className="divide-y divide-line/60">
          {rows.slice(0, SHOWN).map((row) => (
            <li key={row.key} className="flex items-baseline gap-3 py-1">
              <span className="min-w-0 flex-1 truncate" title={row.key}>
                <span className="text-muted">{row.kind}</span> {row.namespace && `${row.namespace}/`}
                {row.name}
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
          ))}
        </ul>
        {rows.length > SHOWN && <p className="pt-1 text-muted">and {rows.length - SHOWN} more</p>}
      </Section>
    </>
  );
}

function DriftTable({ rows }: { rows: DriftRow[] }) {
  return (
    <ul className="space-y-2.5">
      {rows.map((row) => (
        <li key={`${row.resource} ${row.field}`}>
          <p className="flex items-baseline justify-between gap-3">
            <span className="min-w-0 break-words">
              {row.resource} {row.field && <code className="font-mono text-xs">{row.field}</code>}
            </span>
            {row.healedAt && (
              <span className="whitespace-nowrap text-good">
                put back <Ago at={row.healedAt} suffix=" ago" />
              </span>
            )}
          </p>
          <p className="font-mono text-xs break-all">
            <span className="text-good">{row.expected}</span>
            <span className="text-muted"> → </span>
            <span className="text-bad">{row.actual}</span>
          </p>
          {(row.cause || row.by || row.at) && (
            <p className="text-xs text-muted">
              {row.cause} {row.by && `by ${row.by}`} {row.at && <Ago at={row.at} suffix=" ago" />}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
