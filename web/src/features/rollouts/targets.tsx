import type { RolloutTargetView } from '@muster/api';
import type { TargetGroup } from '@muster/api/rollout-groups';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { SelectField, TextField } from '../../ui/field.tsx';
import { ErrorNotice, StaleNotice } from '../../ui/notice.tsx';
import { Button, Skeleton } from '../../ui/parts.tsx';
import { Segment, Segments } from '../../ui/segments.tsx';
import { TEXT } from '../../ui/tone.ts';
import { targetsQuery } from './queries.ts';
import type { PartProps } from './part-props.ts';
import { GROUPS, GROUP_WORDS, groupCounts, groupOf, groupWord, hasEnded } from './rollout-state.ts';
import { TargetRow } from './target-row.tsx';
import { VirtualRows } from './virtual-rows.tsx';

const TYPING_MS = 200;
/** More rows than these scroll by themselves, and only those in sight are there. */
const FLOWING = 200;

type Line = { kind: 'group'; group: TargetGroup } | { kind: 'target'; target: RolloutTargetView };

/** The targets by their state, what failed first; found by name, stage and group, which the hub filters. */
export function Targets({ rollout, offset, may, onAsk }: PartProps) {
  const [filters, setFilters] = useState<FilterFields>({ stage: '', text: '' });
  const { group, stage } = filters;
  const search = useLater(filters.text.trim());
  const filter = { ...(search && { search }), ...(stage && { stage }), ...(group && { group }) };
  const query = useInfiniteQuery(targetsQuery(rollout.id, filter));
  const { data, error, dataUpdatedAt, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const lines = useMemo(() => linesOf(data?.pages.flatMap(({ items }) => items) ?? []), [data]);
  const ended = hasEnded(rollout);
  const again = () => void query.refetch();
  const row = (line: Line) =>
    line.kind === 'group' ? (
      <GroupHead group={line.group} ended={ended} />
    ) : (
      <TargetRow target={line.target} rollout={rollout} offset={offset} may={may} onAsk={onAsk} />
    );
  return (
    <section aria-label="Targets" className="px-4 pt-5">
      <Filters rollout={rollout} filters={filters} change={setFilters} />
      {error && data && <StaleNotice error={error} at={dataUpdatedAt} retry={again} />}
      {error && !data && <ErrorNotice error={error} retry={again} />}
      {!data && !error && <Skeleton className="h-24" />}
      {data && lines.length === 0 && (
        <p className="py-2 text-muted">
          {search || stage || group ? 'No target is like that.' : 'It has no targets yet.'}
        </p>
      )}
      {lines.length <= FLOWING ? (
        <ul className="rounded-md border border-line empty:hidden">
          {lines.map((line) => (
            <li key={keyOf(line)} className="border-b border-line/60 last:border-0">
              {row(line)}
            </li>
          ))}
        </ul>
      ) : (
        <VirtualRows label="Targets" lines={lines} keyOf={keyOf} row={row} />
      )}
      {hasNextPage && (
        <Button className="mt-2" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? 'Reading more …' : 'Show more'}
        </Button>
      )}
    </section>
  );
}

interface FilterFields {
  group?: TargetGroup | undefined;
  stage: string;
  /** As it is typed. */
  text: string;
}

function Filters({
  rollout,
  filters,
  change,
}: Pick<PartProps, 'rollout'> & { filters: FilterFields; change: (filters: FilterFields) => void }) {
  const { group, stage, text } = filters;
  const counts = groupCounts(rollout.progress);
  const ended = hasEnded(rollout);
  const set = (part: Partial<FilterFields>) => change({ ...filters, ...part });
  return (
    <div className="mb-1.5 flex flex-wrap items-center gap-2">
      <h3 className="text-xs font-semibold text-muted">Targets</h3>
      <Segments label="Targets by state">
        <Segment active={group === undefined} onClick={() => set({ group: undefined })}>
          All
        </Segment>
        {GROUPS.filter((each) => counts[each] > 0 || each === group).map((each) => (
          <Segment
            key={each}
            active={group === each}
            onClick={() => set({ group: each === group ? undefined : each })}
          >
            <span className={each === 'failed' ? TEXT.bad : ''}>
              {groupWord(each, ended)} {counts[each]}
            </span>
          </Segment>
        ))}
      </Segments>
      <SelectField label="Stage" value={stage} onChange={(next) => set({ stage: next })}>
        <option value="">Stage: any</option>
        {rollout.stages.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </SelectField>
      <TextField
        type="search"
        aria-label="Find a target"
        placeholder="Application or cluster"
        value={text}
        onChange={(event) => set({ text: event.target.value })}
        className="w-48"
      />
    </div>
  );
}

/** Targets come sorted; a head stands where the group changes. */
function linesOf(targets: readonly RolloutTargetView[]): Line[] {
  const lines: Line[] = [];
  let before: TargetGroup | undefined;
  for (const target of targets) {
    const group = groupOf(target.state);
    if (group !== before) lines.push({ kind: 'group', group });
    before = group;
    lines.push({ kind: 'target', target });
  }
  return lines;
}

function keyOf(line: Line): string {
  return line.kind === 'group' ? `group ${line.group}` : line.target.id;
}

function GroupHead({ group, ended }: { group: TargetGroup; ended: boolean }) {
  const { tone } = GROUP_WORDS[group];
  return (
    <p className={`bg-raised/60 px-3 py-1 text-xs font-semibold ${TEXT[tone]}`}>{groupWord(group, ended)}</p>
  );
}

/** A text once nothing was typed for a moment. */
function useLater(text: string): string {
  const [later, setLater] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setLater(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return later;
}
