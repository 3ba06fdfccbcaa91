import { Ago } from '../../ui/parts.tsx';
import type { DriftRow } from './drift.ts';

/** Differing fields: what Git says, what is there, and who wrote it. */
export function DriftTable({ rows }: { rows: DriftRow[] }) {
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
