import { useQuery } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useDeferredValue, useMemo, useState } from 'react';
import { TextField } from '../../ui/field.tsx';
import { AgainButton } from '../../ui/again-button.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Ago, SkeletonRows } from '../../ui/parts.tsx';
import { treeQuery } from './queries.ts';
import { TreeLines } from './tree-lines.tsx';
import { treeRows } from './tree.ts';

/** The Application's objects and what they own, asked of the cluster while this is shown. */
export function TreeView({ appKey }: { appKey: string }) {
  const { data, error, isFetching, refetch } = useQuery(treeQuery(appKey));
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [text, setText] = useState('');
  const filter = useDeferredValue(text);
  const rows = useMemo(() => treeRows(data?.nodes ?? [], folds, filter), [data, folds, filter]);
  if (!data) {
    if (error) return <Unseen error={error} retry={() => void refetch()} />;
    return <SkeletonRows count={4} />;
  }
  const fold = (key: string, open: boolean) => setFolds((before) => new Map(before).set(key, open));
  return (
    <>
      <div className="flex items-center gap-2">
        <label className="relative min-w-40 flex-1">
          <Search className="absolute top-2 left-2 size-3.5 text-muted" aria-hidden />
          <TextField
            type="search"
            aria-label="Filter the tree"
            placeholder="Name, kind or state"
            value={text}
            onChange={(event) => setText(event.target.value)}
            className="w-full pl-7"
          />
        </label>
        <AgainButton label="Look again" busy={isFetching} onClick={() => void refetch()} />
      </div>
      <p className="my-1 text-xs text-muted">
        {data.nodes.length} objects, looked at <Ago at={data.at} suffix=" ago" />
      </p>
      {error && <Unseen error={error} retry={() => void refetch()} />}
      {(data.truncated || data.notes.length > 0) && (
        <ul className="mb-1.5 rounded-md bg-warn/10 px-2 py-1 text-xs text-warn">
          {data.truncated && data.notes.length === 0 && <li>There are more objects than are shown.</li>}
          {data.notes.map((note) => (
            <li key={note} className="break-words">
              {note}
            </li>
          ))}
        </ul>
      )}
      {rows.length > 0 ? (
        <TreeLines rows={rows} fold={fold} />
      ) : (
        <p className="text-muted">
          {data.nodes.length === 0
            ? 'This Application has no objects in the cluster.'
            : 'No object matches the filter.'}
        </p>
      )}
    </>
  );
}

/** The hub's own words: silent, too old, not accepted, not allowed. */
function Unseen({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <div className="-mx-3">
      <ErrorNotice error={error} retry={retry} />
    </div>
  );
}
