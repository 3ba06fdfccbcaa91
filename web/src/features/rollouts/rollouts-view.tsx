import type { RolloutListItem } from '@muster/api';
import { useInfiniteQuery } from '@tanstack/react-query';
import { memo, useMemo } from 'react';
import { CommandLine, ErrorNotice, Notice, StaleNotice } from '../../ui/notice.tsx';
import { Ago, Button, Chip, SkeletonRows } from '../../ui/parts.tsx';
import { EDGE } from '../../ui/tone.ts';
import { isFiltered, rolloutsQuery } from '../fleet/search.ts';
import { useFleetSearch } from '../fleet/use-search.ts';
import { inLocalTime } from './hub-time.ts';
import { PhaseWord, ReleaseLine, RolloutLink } from './parts.tsx';
import { rolloutListQuery } from './queries.ts';
import { hasEnded, phaseTone } from './rollout-state.ts';
import { StageBars } from './stage-bar.tsx';

/** Rollouts: what is on its way, then what has stopped, then what has ended. */
export function RolloutsView() {
  const [search] = useFleetSearch();
  const filter = useMemo(() => rolloutsQuery(search), [search]);
  const query = useInfiniteQuery(rolloutListQuery(filter));
  const { data, error, dataUpdatedAt, hasNextPage, isFetchingNextPage } = query;
  const rollouts = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  const again = () => void query.refetch();
  if (!data) return error ? <ErrorNotice error={error} retry={again} /> : <SkeletonRows />;
  return (
    <div tabIndex={0} aria-label="Rollouts" className="h-full overflow-y-auto">
      {error && <StaleNotice error={error} at={dataUpdatedAt} retry={again} />}
      {rollouts.length === 0 && (isFiltered(search) ? <NoMatch /> : <NoRollouts />)}
      <ul>
        {rollouts.map((rollout) => (
          <Row key={rollout.id} rollout={rollout} />
        ))}
      </ul>
      {hasNextPage && (
        <p className="px-4 py-3">
          <Button disabled={isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {isFetchingNextPage ? 'Reading more …' : 'Show older ones'}
          </Button>
        </p>
      )}
    </div>
  );
}

const Row = memo(function Row({ rollout }: { rollout: RolloutListItem }) {
  const { id, owner, project, kind, failure, waitsFor, progress, stage, failedStage, since, endedAt, phase } =
    rollout;
  const waits = inLocalTime(waitsFor.join('; '), Date.now());
  // Why it stopped stands once: what it waits for repeats it.
  const why = phase === 'failed' ? waits || failure : (failure ?? (waits && `Waits for ${waits}`));
  return (
    <li
      data-rollout={id}
      className={`relative grid gap-x-6 gap-y-1.5 border-b border-l-3 border-b-line px-4 py-2.5 hover:bg-raised/60 lg:grid-cols-[minmax(240px,1.1fr)_minmax(240px,1.2fr)_minmax(280px,1.6fr)] ${EDGE[phaseTone(rollout)]}`}
    >
      <div className="min-w-0">
        <p className="flex items-baseline gap-2">
          {/* The link reaches over the whole row. */}
          <RolloutLink id={id} className="min-w-0 truncate font-semibold after:absolute after:inset-0">
            {owner}
          </RolloutLink>
          {kind === 'undo' && <Chip title="Somebody goes back to an earlier release">undo</Chip>}
          {project && project !== 'default' && <Chip title={`Project ${project}`}>{project}</Chip>}
        </p>
        <p className="line-clamp-2">
          <ReleaseLine rollout={rollout} />
        </p>
      </div>
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-x-2">
          <PhaseWord rollout={rollout} />
          <span className="text-muted">
            <Ago
              at={hasEnded(rollout) ? (endedAt ?? since) : since}
              suffix={hasEnded(rollout) ? ' ago' : ''}
            />
          </span>
        </p>
        {why && (
          <p className={`line-clamp-2 break-words ${failure ? 'text-bad' : 'text-muted'}`} title={why}>
            {why}
          </p>
        )}
      </div>
      <div className="min-w-0 self-center">
        <StageBars stages={progress} current={stage} failed={failedStage} />
      </div>
    </li>
  );
});

function NoMatch() {
  return <Notice title="No rollout matches these filters" />;
}

function NoRollouts() {
  return (
    <Notice title="No rollouts yet">
      <p>
        Without a policy a release goes to all of its clusters at once. Write a RolloutPolicy with stages,
        apply it, and name it on an ApplicationSet; its next release goes stage by stage and appears here:
      </p>
      <CommandLine
        text={`muster apply -f policy.yaml\n# on the ApplicationSet:\nmetadata:\n  annotations:\n    muster.dev/rollout-policy: careful`}
      />
    </Notice>
  );
}
