import type { ResourceView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { AgainButton } from '../../ui/again-button.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { SkeletonRows } from '../../ui/parts.tsx';
import type { DriftRow } from '../applications/drift.ts';
import { DriftTable } from '../applications/drift-table.tsx';
import { MASK } from './masked.ts';
import { objectQuery } from './queries.ts';

type Diff = NonNullable<ResourceView['diff']>;

const STATES: Record<Diff['state'], string> = {
  synced: 'It is as Git says.',
  differs: 'It differs from what Git says.',
  missing: 'Git names it, and it is not in the cluster.',
  extra: 'It is in the cluster, and Git does not name it any more.',
  unknown: 'Whether it differs could not be judged.',
};

/** Field by field what differs between Git and the cluster, judged by the API server now. */
export function DiffTab({ appKey, resource }: { appKey: string; resource: string }) {
  const { data, error, isFetching, refetch } = useQuery(objectQuery(appKey, resource, true));
  if (error && !data) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data) return <SkeletonRows count={3} />;
  const { diff } = data;
  const rows = diff ? fieldRows(diff) : [];
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-4 py-3">
      <div className="mb-2 flex items-start gap-3">
        <div className="min-w-0 flex-1">
          <p className={diff?.state === 'synced' ? 'text-good' : 'font-medium'}>
            {diff ? STATES[diff.state] : 'Git does not name it: there is nothing to compare it with.'}
          </p>
          {diff?.message && <p className="break-words text-muted">{diff.message}</p>}
        </div>
        <AgainButton label="Judge again" busy={isFetching} onClick={() => void refetch()} />
      </div>
      {error && <ErrorNotice error={error} />}
      {rows.length > 0 && (
        <>
          <p className="mb-2 text-xs text-muted">
            <span className="text-good">as Git says</span> → <span className="text-bad">as it is</span>
            {rows.some(({ expected, actual }) => `${expected}${actual}`.includes(MASK)) &&
              '; values of Secrets are masked, and said to differ only'}
          </p>
          <DriftTable rows={rows} />
        </>
      )}
    </div>
  );
}

function fieldRows({ fields, manager, operation, timeMs }: Diff): DriftRow[] {
  const by = manager && (operation ? `${manager} (${operation})` : manager);
  return fields.map(({ path, expected, actual }) => ({
    resource: '',
    field: path,
    expected: expected === '' ? '(absent)' : expected,
    actual: actual === '' ? '(absent)' : actual,
    ...(by && { by }),
    ...(timeMs && { at: new Date(timeMs).toISOString() }),
  }));
}
