import type { ClusterView } from '@muster/api';
import { memo } from 'react';
import { Ago, Chip, Labels, StateWord } from '../../ui/parts.tsx';
import { useFleetSearch } from '../fleet/use-search.ts';
import { type Connection, connectionOf } from './connection.ts';

/** The head of a row: a cluster, or a destination that names no known one. */
export const ClusterCell = memo(function ClusterCell({
  name,
  cluster,
}: {
  name: string;
  cluster: ClusterView | undefined;
}) {
  const [search, change] = useFleetSearch();
  const place = 'sticky left-0 z-10 bg-panel';
  if (!cluster)
    return (
      <div role="rowheader" className={`${place} flex flex-col justify-center px-4`}>
        <span className="truncate font-medium" title={name}>
          {name}
        </span>
        <span className="text-[11px] text-warn">no cluster of this name or address</span>
      </div>
    );
  return (
    <div role="rowheader" className={place}>
      <button
        type="button"
        data-cluster={name}
        aria-pressed={search.about === name && search.app === undefined}
        onClick={() => change({ about: name, app: undefined })}
        className="flex h-full w-full flex-col justify-center gap-0.5 px-4 text-left hover:bg-raised aria-pressed:bg-accent/10"
      >
        <span className="flex w-full items-center justify-between gap-2">
          <span className="truncate font-medium" title={name}>
            {name}
          </span>
          <span className="shrink-0 text-[11px]">
            <ConnectionWord connection={connectionOf(cluster)} short />
          </span>
        </span>
        <span className="flex w-full items-center justify-between gap-2 text-[11px] text-muted">
          <Labels labels={cluster.labels} />
          <span className="ml-auto flex shrink-0 items-center gap-1">
            {cluster.limits?.observeOnly && (
              <Chip title="The agent reports everything and changes nothing">observe-only</Chip>
            )}
            {cluster.kubernetesVersion}
          </span>
        </span>
      </button>
    </div>
  );
});

export function ConnectionWord({ connection, short = false }: { connection: Connection; short?: boolean }) {
  switch (connection.kind) {
    case 'connected':
      return (
        <StateWord word="connected" tone="good" quiet>
          connected
        </StateWord>
      );
    case 'silent':
      return (
        <StateWord word="silent" tone="idle">
          Unknown{' '}
          {connection.since && (
            <>
              since <Ago at={connection.since} />
            </>
          )}
        </StateWord>
      );
    case 'pending':
      return (
        <StateWord word="pending" tone="warn">
          {short
            ? 'pending approval'
            : connection.returned
              ? 'came back, waits for an approval'
              : 'waits for an approval'}
        </StateWord>
      );
    case 'never':
      return (
        <StateWord word="Unknown" tone="idle">
          never connected
        </StateWord>
      );
  }
}
