import { useQuery } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { CommandLine, ErrorNotice, Notice, StaleNotice } from '../../ui/notice.tsx';
import { Ago, SkeletonRows } from '../../ui/parts.tsx';
import { useFleetSearch } from '../fleet/use-search.ts';
import { policiesQuery } from './queries.ts';

const SUPERSEDING = {
  supersede: 'a newer release takes its place',
  queue: 'newer releases wait for their turn',
  batch: 'only the newest waits',
};

/** RolloutPolicies: how releases go through the fleet. */
export function PoliciesView() {
  const [search, change] = useFleetSearch();
  const { data, error, dataUpdatedAt, refetch } = useQuery(policiesQuery);
  const again = () => void refetch();
  if (!data) return error ? <ErrorNotice error={error} retry={again} /> : <SkeletonRows count={6} />;
  const words = (search.q ?? '').toLowerCase();
  const shown = data.items.filter(({ name }) => name.toLowerCase().includes(words));
  return (
    <div tabIndex={0} aria-label="Rollout policies" className="h-full overflow-y-auto">
      {error && <StaleNotice error={error} at={dataUpdatedAt} retry={again} />}
      {shown.length === 0 && (words ? <Notice title="No policy is called so" /> : <NoPolicies />)}
      <ul>
        {shown.map(({ name, stages, selects, superseding, updatedAt, updatedBy }) => (
          <li
            key={name}
            className={`relative grid gap-x-6 gap-y-1 border-b border-line px-4 py-2.5 hover:bg-raised/60 md:grid-cols-[minmax(180px,1fr)_minmax(240px,2fr)_minmax(220px,1.5fr)] ${search.policy === name ? 'bg-accent/10' : ''}`}
          >
            <p className="min-w-0">
              <button
                type="button"
                aria-pressed={search.policy === name}
                className="max-w-full truncate font-semibold after:absolute after:inset-0"
                onClick={() => change({ policy: name, app: undefined, about: undefined })}
              >
                {name}
              </button>
              <span className="block text-muted">
                {selects ? `for sets with ${selects}` : 'for sets that name it'}
              </span>
            </p>
            <p className="flex min-w-0 flex-wrap items-center gap-x-1">
              {stages.map((stage, i) => (
                <span key={stage} className="inline-flex items-center gap-x-1">
                  {i > 0 && <ChevronRight className="size-3 text-muted" aria-label="then" />}
                  {stage}
                </span>
              ))}
            </p>
            <p className="text-muted">
              {SUPERSEDING[superseding]}
              <span className="block">
                changed by {updatedBy} <Ago at={updatedAt} suffix=" ago" />
              </span>
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}

function NoPolicies() {
  return (
    <Notice title="No rollout policies yet">
      <p>A RolloutPolicy says in which stages a release reaches the fleet. Apply one (admins):</p>
      <CommandLine
        text={`apiVersion: muster.dev/v1alpha1\nkind: RolloutPolicy\nmetadata:\n  name: careful\nspec:\n  defaults: { soak: 10m, deadline: 5m }\n  stages:\n    - name: canary\n      clusters: { matchLabels: { tier: canary } }\n    - name: the-rest\n      maxConcurrent: 20%`}
      />
    </Notice>
  );
}
